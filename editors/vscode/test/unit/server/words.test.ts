import { strict as assert } from "node:assert";
import { test } from "node:test";
import { LastWords } from "../../../src/server/words";

test("the last line that says something is kept, however it comes in pieces", () => {
  const words = new LastWords();
  assert.equal(new LastWords().line, "");
  for (const piece of ["Traceback\n", "ModuleNot", "FoundError: heron\r\n", "\n  \n"]) words.hear(piece);
  assert.equal(words.line, "ModuleNotFoundError: heron");
  words.hear(`${"x".repeat(10_000)}\n`);
  assert.equal(lengthOf(words), 300);
});

function lengthOf({ line }: LastWords): number {
  return line.length;
}
