import assert from "node:assert/strict";
import { test } from "node:test";
import { queryAt, replaceQuery } from "../../../media/chat/query";

test("a command is one at the beginning alone", () => {
  assert.deepEqual(queryAt("/ex", 3), { kind: "command", text: "ex", start: 0 });
  assert.equal(queryAt("why /ex", 7), undefined);
  assert.equal(queryAt("/explain it", 11), undefined);
});

test("an attachment is a word with a number sign", () => {
  assert.deepEqual(queryAt("look at #ca", 11), { kind: "attachment", text: "ca", start: 8 });
  assert.deepEqual(queryAt("#", 1), { kind: "attachment", text: "", start: 0 });
  assert.equal(queryAt("C#", 2), undefined);
  assert.equal(queryAt("#a b", 4), undefined);
});

test("a choice takes the query's place", () => {
  const query = queryAt("see #ca now", 7);
  assert.ok(query);
  assert.deepEqual(replaceQuery("see #ca now", 7, query, "X"), { text: "see X now", cursor: 5 });
});
