import assert from "node:assert/strict";
import { test } from "node:test";
import { readLink } from "../../../media/chat/links";

test("web pages and files of the workspace", () => {
  assert.deepEqual(readLink("https://a.example/x?y#z"), { kind: "web", href: "https://a.example/x?y#z" });
  assert.deepEqual(readLink("shop/cart.py"), { kind: "path", path: "shop/cart.py", line: undefined });
  assert.deepEqual(readLink("shop/cart.py#L12"), { kind: "path", path: "shop/cart.py", line: 12 });
  assert.deepEqual(readLink("cart.py:12"), { kind: "path", path: "cart.py", line: 12 });
  assert.deepEqual(readLink("cart.py:12-20"), { kind: "path", path: "cart.py", line: 12 });
  assert.deepEqual(readLink("my%20file.py"), { kind: "path", path: "my file.py", line: undefined });
});

for (const href of [
  "command:evil",
  " command:evil",
  "com\u200bmand:evil",
  "javascript:alert(1)",
  "java\tscript:alert(1)",
  "file:///etc/passwd",
  "vscode://x",
  "data:text/html,x",
  "//evil.example",
  "/etc/passwd",
  "../secret",
  "a/../../secret",
  "a%2f..%2f..%2fsecret",
  "..\\secret",
  "https://user@evil.example",
  "https:",
  "",
]) {
  test(`nowhere: ${JSON.stringify(href)}`, () => assert.equal(readLink(href), undefined));
}
