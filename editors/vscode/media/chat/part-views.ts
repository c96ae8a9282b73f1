/** What stands in an answer beside its text: tools that were called, edits that are offered, notices. */
import type { Part } from "../../src/chat/state";
import type { EditOffer, ToolReport } from "../../src/chat/wire";
import { button, h } from "./dom";

const STATES: Readonly<Record<ToolReport["state"], string>> = {
  running: "running…",
  ok: "done",
  error: "failed",
  refused: "not allowed",
};

/** A part that is not text. `review` is called when the user wants to see the edits. */
export function viewPart(part: Exclude<Part, { kind: "text" }>, review: () => void): HTMLElement {
  switch (part.kind) {
    case "tool":
      return viewTool(part.tool);
    case "edits":
      return viewEdits(part.edits, review);
    case "notice":
      return h("p", { class: "notice", role: "note" }, part.text);
  }
}

function viewTool(tool: ToolReport): HTMLElement {
  const summary = h("summary", {}, h("code", {}, tool.name), h("span", { class: "state" }, STATES[tool.state]));
  const details = h("details", { class: `tool ${tool.state}` }, summary);
  for (const text of [tool.arguments, tool.result]) {
    if (text) details.append(h("pre", { tabindex: 0 }, text));
  }
  return details;
}

function viewEdits(edits: readonly EditOffer[], review: () => void): HTMLElement {
  const names = [...new Set(edits.map((edit) => nameOf(edit.textDocument.uri)))];
  const count = `${edits.length} ${edits.length === 1 ? "change" : "changes"} to ${names.join(", ")}`;
  const open = button("Review", { class: "primary", "aria-label": `Review ${count}` }, review);
  return h("div", { class: "edits", role: "group", "aria-label": count }, h("span", {}, count), open);
}

function nameOf(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
}
