import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readMessage } from "../../../src/chat/messages";

test("messages of the page are known by their kind and members", () => {
  assert.deepEqual(readMessage({ kind: "ask", text: "Why?" }), { kind: "ask", text: "Why?" });
  assert.deepEqual(readMessage({ kind: "draft", text: "Wh" }), { kind: "draft", text: "Wh" });
  assert.deepEqual(readMessage({ kind: "stop" }), { kind: "stop" });
  for (const wrong of [null, 1, "ask", [], {}, { kind: "ask" }, { kind: "ask", text: 1 }, { kind: "run", text: "x" }]) {
    assert.equal(readMessage(wrong), undefined);
  }
  assert.equal(readMessage({ kind: "constructor" }), undefined);
  assert.equal(readMessage({ kind: "attach", attachment: null }), undefined);
});

test("nothing that is sent makes reading fail", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      readMessage(value);
    }),
  );
});
