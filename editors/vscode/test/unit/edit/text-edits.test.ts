import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readChanges } from "../../../src/edit/changes";
import { applyEdits } from "../../../src/edit/text-edits";

function edit(from: readonly [number, number], to: readonly [number, number], newText: string) {
  const place = ([line, character]: readonly [number, number]) => ({ line, character });
  return { range: { start: place(from), end: place(to) }, newText };
}

test("edits mean the text before all of them, in any order", () => {
  const edits = [edit([1, 0], [1, 1], "B"), edit([0, 1], [0, 1], "x"), edit([0, 1], [0, 1], "y")];
  assert.equal(applyEdits("ab\nbc\n", edits), "axyb\nBc\n");
});

test("lines end in three ways, and what lies beyond an end is that end", () => {
  assert.equal(applyEdits("a\r\nb\rc", [edit([0, 9], [0, 9], "!"), edit([2, 0], [9, 9], "C")]), "a!\r\nb\rC");
});

test("characters are UTF-16 units", () => {
  assert.equal(applyEdits("🦩x", [edit([0, 2], [0, 3], "y")]), "🦩y");
});

test("edits that overlap are refused", () => {
  assert.throws(() => applyEdits("abc", [edit([0, 0], [0, 2], ""), edit([0, 1], [0, 3], "")]), /overlap/);
});

test("replacing any range gives what is before it, the new text, what is after it", () => {
  const line = fc.stringMatching(/^[ab 🦩]{0,6}$/u);
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(), line, (lines, a, b, newText) => {
      const text = lines.join("\n");
      const [from = 0, to = 0] = [a % (text.length + 1), b % (text.length + 1)].sort((x, y) => x - y);
      const place = (offset: number): [number, number] => {
        const before = text.slice(0, offset).split("\n");
        return [before.length - 1, before.at(-1)?.length ?? 0];
      };
      const after = applyEdits(text, [edit(place(from), place(to), newText)]);
      assert.equal(after, text.slice(0, from) + newText + text.slice(to));
    }),
  );
});

test("a workspace edit is read file by file", () => {
  const uri = "file:///w/test_a.py";
  const edits = [edit([0, 0], [0, 0], "x")];
  const created = readChanges({
    documentChanges: [
      { kind: "create", uri },
      { textDocument: { uri, version: null }, edits },
    ],
  });
  assert.deepEqual(created, [{ uri, version: null, edits, creates: true }]);
  assert.deepEqual(readChanges({ changes: { [uri]: edits } }), [{ uri, version: null, edits, creates: false }]);
  assert.throws(() => readChanges({ documentChanges: [{ kind: "delete", uri }] }), /delete/);
});
