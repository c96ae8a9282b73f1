import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../src/edit/answer";
import { blockEdit, insertedAt } from "../../../src/edit/block-edit";
import { commonIndent, reindent, splitLines } from "../../../src/edit/lines";
import { locate } from "../../../src/edit/locate";
import { applyEdits } from "../../../src/edit/text-edits";

const CART = splitLines(`class Cart:
    def total(self):
        x = 1

        return x

    @property
    def size(self):
        return 2


def add(a, b):
    return a - b


print(add(1, 2))
`);

function located(document: string, block: string): string | undefined {
  const lines = splitLines(document);
  const place = locate(lines, splitLines(block));
  return place && lines.slice(place.first, place.end).join("\n");
}

test("a definition is found by its name, with all of its body", () => {
  assert.deepEqual(locate(CART, ["def add(first, second):", "    return 0"]), { first: 11, end: 13 });
  assert.deepEqual(locate(CART, ["# better", "def total(self) -> int:", "    return 1"]), { first: 1, end: 5 });
  assert.deepEqual(locate(CART, ["class Cart:"]), { first: 0, end: 9 });
});

test("decorators are replaced by a block that has its own", () => {
  assert.deepEqual(locate(CART, ["@property", "def size(self):"]), { first: 6, end: 9 });
  assert.deepEqual(locate(CART, ["def size(self):"]), { first: 7, end: 9 });
});

test("a block that ends with a docstring goes above the body", () => {
  const documented = ["class Cart:", '    """Things to buy.', "", '    All of them."""'];
  assert.deepEqual(locate(CART, documented), { first: 0, end: 1 });
  assert.deepEqual(locate(CART, [...documented, "    x = 1"]), { first: 0, end: 9 });
  const old = "def f(\n    a,\n) -> int:  # counts\n    '''Old.'''\n    return a\n";
  assert.equal(located(old, 'def f(a) -> int:\n    """New."""\n'), old.split("\n").slice(0, 4).join("\n"));
  assert.equal(
    located(old.replace("    '''Old.'''\n", ""), 'def f(a):\n    """New."""'),
    "def f(\n    a,\n) -> int:  # counts",
  );
});

test("braces and other languages", () => {
  const script = "export function a(x) {\n  if (x) {\n    y();\n  }\n}\nconst b = () => {\n  c();\n};\n";
  assert.equal(located(script, "export function a(z) {\n}"), "export function a(x) {\n  if (x) {\n    y();\n  }\n}");
  assert.equal(located(script, "const b = () => c();"), "const b = () => {\n  c();\n};");
  assert.equal(
    located("func (c *Cart) Sum() int {\n\treturn 1\n}\n", "func (c *Cart) Sum() int {"),
    "func (c *Cart) Sum() int {\n\treturn 1\n}",
  );
  assert.equal(located("fn a() {\n    b()\n}\nfn c() {}\n", "pub fn x() {}"), undefined);
});

test("what is there twice, or not at all, is found nowhere", () => {
  assert.equal(located("def a():\n    1\ndef a():\n    2\n", "def a():\n    3"), undefined);
  assert.equal(located("x = 1\n", "x = 2"), undefined);
});

test("lines get the indentation of their place", () => {
  assert.equal(commonIndent(["    a", "", "      b"]), "    ");
  assert.deepEqual(reindent(["a:", "  b", "   "], "\t"), ["\ta:", "\t  b", ""]);
});

function edited(document: string, first: number, end: number, block: string): string {
  return applyEdits(document, [blockEdit(splitLines(document), { first, end }, splitLines(block))]);
}

test("a block is put over lines, between them, and behind the last", () => {
  assert.equal(edited("a\n  b\nc\n", 1, 2, "x\ny"), "a\n  x\n  y\nc\n");
  assert.equal(edited("a\nb\n", 1, 1, "x"), "a\nx\nb\n");
  assert.equal(edited("a\nb\n", 3, 3, "x"), "a\nb\nx\n");
  assert.equal(edited("a\nb", 2, 2, "x"), "a\nb\nx");
  assert.equal(edited("a\nb", 1, 2, "x"), "a\nx");
  assert.equal(edited("", 0, 0, "x"), "x\n");
});

test("code is inserted with the indentation before the cursor", () => {
  assert.equal(insertedAt("    ", ["if a:", "    b"]), "if a:\n        b");
  assert.equal(insertedAt("x = ", ["f(", ")"]), "f(\n)");
});

test("the code of an answer grows with it, without its fences", () => {
  const answer = "Here:\n```python\ndef a():\n    pass\n```\nDone.";
  const shown = [...answer].map((_, length) => codeOf(answer.slice(0, length + 1)) ?? "");
  assert.equal(codeOf(answer), "def a():\n    pass\n");
  assert.equal(
    shown.some((text) => text.includes("`")),
    false,
  );
  assert.equal(codeOf("x = 1\ny"), "x = 1\ny");
  assert.equal(codeOf("``"), undefined);
});
