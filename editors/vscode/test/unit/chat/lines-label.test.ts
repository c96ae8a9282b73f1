import { strict as assert } from "node:assert";
import { test } from "node:test";
import { labelLines } from "../../../src/chat/lines-label";

function range(first: number, last: number, end: number) {
  return { start: { line: first, character: 0 }, end: { line: last, character: end } };
}

test("one line is one number; a line of which nothing is in the range is left out", () => {
  assert.equal(labelLines("a.py", range(0, 0, 5)), "a.py:1");
  assert.equal(labelLines("a.py", range(0, 1, 0)), "a.py:1");
  assert.equal(labelLines("a.py", range(2, 6, 1)), "a.py:3-7");
  assert.equal(labelLines("a.py", range(4, 4, 0)), "a.py:5");
});
