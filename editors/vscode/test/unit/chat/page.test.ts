import assert from "node:assert/strict";
import { test } from "node:test";
import { writePage } from "../../../src/chat/page";

test("only the page's own script runs, and nothing is loaded from elsewhere", () => {
  const page = writePage({
    nonce: "n0nce",
    source: "https://own",
    script: "https://own/s.js",
    style: "https://own/s.css",
  });
  const policy = /content="(default-src[^"]*)"/.exec(page)?.[1] ?? "";
  assert.match(policy, /^default-src 'none'; /);
  assert.match(policy, /script-src 'nonce-n0nce';/);
  assert.doesNotMatch(policy, /unsafe|img-src|connect-src|\*/);
  assert.equal(page.match(/<script/g)?.length, 1);
  assert.doesNotMatch(page, /\son\w+=|style="/);
});
