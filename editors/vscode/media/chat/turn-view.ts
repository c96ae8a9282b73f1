/** One question with its answer. */
import { labelLines } from "../../src/chat/lines-label";
import type { Front, Part, Turn } from "../../src/chat/state";
import type { Reference } from "../../src/chat/wire";
import { button, h } from "./dom";
import type { RenderBlocks } from "./markdown";
import { viewPart } from "./part-views";
import type { Send } from "./send";
import { TextView } from "./text-view";

interface ShownPart {
  readonly part: Part;
  readonly element: HTMLElement;
  readonly text: TextView | undefined;
}

export class TurnView {
  readonly element: HTMLElement;
  private readonly answer = h("div", { class: "answer" });
  private readonly references = h("div", { class: "references" });
  private readonly footer = h("div", { class: "footer" });
  private parts: readonly ShownPart[] = [];
  private turn: Turn | undefined;

  constructor(
    turn: Turn,
    private readonly render: RenderBlocks,
    private readonly send: Send,
  ) {
    const question = h("div", { class: "question" }, h("h2", { class: "hidden" }, "You"), h("p", {}, turn.question));
    const about = aboutOf(turn);
    if (about.length > 0) question.append(h("p", { class: "about" }, `About ${about.join(", ")}`));
    const head = h("h2", { class: "hidden" }, "Heron");
    this.element = h("article", { "data-turn": turn.id }, question, head, this.references, this.answer, this.footer);
    this.update(turn);
  }

  /** Nothing is done for a turn that is the same object as before. */
  update(turn: Turn): void {
    if (turn === this.turn) return;
    if (turn.references !== this.turn?.references) this.showReferences(turn.references);
    this.showParts(turn.parts);
    this.showFooter(turn);
    this.element.setAttribute("aria-busy", String(turn.state === "running"));
    this.turn = turn;
  }

  private showReferences(references: readonly Reference[]): void {
    this.references.hidden = references.length === 0;
    const links = references.map((reference) => this.viewReference(reference));
    const list = h("ul", {}, ...links.map((link) => h("li", {}, link)));
    const count = references.length === 1 ? "1 place read" : `${references.length} places read`;
    this.references.replaceChildren(h("details", {}, h("summary", {}, count), list));
  }

  private viewReference({ path, uri, range }: Reference): HTMLElement {
    return button(labelLines(path, range), { class: "link" }, () => this.send({ kind: "open", uri, range }));
  }

  private showParts(parts: readonly Part[]): void {
    const shown = parts.map((part, index) => this.showPart(part, index));
    for (const old of this.parts.slice(parts.length)) old.element.remove();
    this.parts = shown;
  }

  private showPart(part: Part, index: number): ShownPart {
    const old = this.parts[index];
    if (old?.part === part) return old;
    const fresh = this.viewOf(part, index, old?.text);
    if (old === undefined) this.answer.append(fresh.element);
    else if (old.element !== fresh.element) old.element.replaceWith(fresh.element);
    return fresh;
  }

  private viewOf(part: Part, index: number, known: TextView | undefined): ShownPart {
    if (part.kind === "text") {
      const text = known ?? new TextView(this.render);
      text.update(part.text);
      return { part, element: text.element, text };
    }
    const turnId = this.element.dataset["turn"] ?? "";
    const element = viewPart(part, () => this.send({ kind: "review", turnId, part: index }));
    return { part, element, text: undefined };
  }

  private showFooter(turn: Turn): void {
    this.footer.replaceChildren(...stateOf(turn), ...this.viewFollowUps(turn));
  }

  private viewFollowUps(turn: Turn): readonly HTMLElement[] {
    if (turn.followUps.length === 0) return [];
    const buttons = turn.followUps.map((text) =>
      button(text, { class: "follow-up" }, () => this.send({ kind: "ask", text })),
    );
    return [h("div", { class: "follow-ups", role: "group", "aria-label": "Ask next" }, ...buttons)];
  }
}

/** What the question was about, in words. */
function aboutOf(turn: Turn): readonly string[] {
  const labels = turn.attachments.map((attachment) => attachment.label);
  return turn.front ? [labelOf(turn.front), ...labels] : labels;
}

function labelOf({ path, range }: Front): string {
  return range ? labelLines(path, range) : path;
}

function stateOf(turn: Turn): readonly HTMLElement[] {
  switch (turn.state) {
    case "running":
      return [h("p", { class: "working" }, turn.parts.length === 0 ? "Reading…" : "Writing…")];
    case "cancelled":
      return [h("p", { class: "ending" }, "Stopped.")];
    case "interrupted":
      return [h("p", { class: "ending" }, "Cut off when Heron ended.")];
    case "failed":
      return [h("p", { class: "failure", role: "alert" }, turn.error ?? "The answer failed.")];
    case "complete":
      return [];
  }
}
