/** An answer's Markdown as HTML that is safe to show: no HTML of the model's, no images, links of two kinds alone. */
import MarkdownIt from "markdown-it";
import { createHighlight, escapeHtml, type Highlight } from "./highlight";
import { readLink } from "./links";

type Tokens = ReturnType<InstanceType<typeof MarkdownIt>["parse"]>;
type Token = Tokens[number];

type Rule = (tokens: Tokens, index: number) => string;

/** Renders Markdown to the HTML of its top-level blocks, one string each, so that only what changed is put in anew. */
export type RenderBlocks = (text: string) => readonly string[];

const ACTIONS: readonly (readonly [string, string, string])[] = [
  ["apply", "Apply", "Show what this code would change in the editor"],
  ["insert", "Insert", "Insert this code at the cursor"],
  ["copy", "Copy", "Copy this code"],
];

export function createRenderer(): RenderBlocks {
  const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });
  markdown.validateLink = (href) => readLink(href) !== undefined;
  const highlight = createHighlight();
  const { rules } = markdown.renderer;
  const code: Rule = (tokens, index) => renderCode(tokens[index], highlight);
  rules["fence"] = code;
  rules["code_block"] = code;
  rules["image"] = (tokens, index) => escapeHtml(`[image: ${tokens[index]?.content ?? ""}]`);
  rules["link_open"] = (tokens, index) => renderLink(tokens[index]);
  return (text) => {
    const env = {};
    return splitBlocks(markdown.parse(text, env)).map((tokens) =>
      markdown.renderer.render(tokens, markdown.options, env),
    );
  };
}

/** Tokens of each block that stands in no other. */
function splitBlocks(tokens: Tokens): Tokens[] {
  const blocks: Tokens[] = [];
  let block: Tokens = [];
  for (const token of tokens) {
    block.push(token);
    if (token.level === 0 && token.nesting <= 0) {
      blocks.push(block);
      block = [];
    }
  }
  return blocks;
}

function renderCode(token: Token | undefined, highlight: Highlight): string {
  const code = token?.content ?? "";
  const language = /^[\w+#.-]+/.exec(token?.info.trim() ?? "")?.[0] ?? "";
  const buttons = ACTIONS.map(
    ([action, label, title]) => `<button type="button" data-code="${action}" title="${title}">${label}</button>`,
  );
  const name = escapeHtml(language || "text");
  return (
    `<figure class="code" aria-label="Code, ${name}"><figcaption><span>${name}</span>` +
    `<span class="actions">${buttons.join("")}</span></figcaption>` +
    `<pre tabindex="0"><code>${highlight(code, language.toLowerCase())}</code></pre></figure>`
  );
}

/** The address is data, not a link that the browser would follow by itself. */
function renderLink(token: Token | undefined): string {
  const href = escapeHtml(String(token?.attrGet("href") ?? ""));
  return `<a href="#" data-href="${href}" title="${href}">`;
}
