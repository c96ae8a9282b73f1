/** The conversation: its turns, and the page's scrolling, which follows an answer as long as the user is at its end. */
import { type CodeAction, readMessage } from "../../src/chat/messages";
import type { Turn } from "../../src/chat/state";
import { button, find } from "./dom";
import { createRenderer } from "./markdown";
import type { Send } from "./send";
import { TurnView } from "./turn-view";

/** Questions to begin with, about the document in front. */
const STARTERS: readonly string[] = ["/explain", "/fix", "/tests"];
/** Pixels above the end that still count as the end. */
const NEAR = 40;

export class Transcript {
  private readonly element = find("transcript");
  private readonly welcome = find("welcome");
  private readonly render = createRenderer();
  private views = new Map<string, TurnView>();

  constructor(private readonly send: Send) {
    this.element.addEventListener("click", (event) => this.click(event));
    find("starters").append(...STARTERS.map((text) => button(text, {}, () => send({ kind: "ask", text }))));
  }

  update(turns: readonly Turn[]): void {
    const isAtEnd = this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < NEAR;
    const isLonger = turns.length > this.views.size;
    this.welcome.hidden = turns.length > 0;
    const views = new Map(turns.map((turn) => [turn.id, this.show(turn)]));
    for (const [id, view] of this.views) if (!views.has(id)) view.element.remove();
    this.views = views;
    if (isAtEnd || isLonger) this.element.scrollTop = this.element.scrollHeight;
  }

  private show(turn: Turn): TurnView {
    const known = this.views.get(turn.id);
    known?.update(turn);
    const view = known ?? new TurnView(turn, this.render, this.send);
    if (known === undefined) this.element.append(view.element);
    return view;
  }

  private click(event: Event): void {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest("a[data-href]");
    if (link !== null) {
      event.preventDefault();
      this.send({ kind: "link", href: link.getAttribute("data-href") ?? "" });
    }
    const code = event.target.closest("button[data-code]");
    if (code !== null) this.useCode(code);
  }

  private useCode(pressed: Element): void {
    const text = pressed.closest("figure")?.querySelector("code")?.textContent ?? "";
    const turnId = pressed.closest("article")?.getAttribute("data-turn") ?? "";
    const action = pressed.getAttribute("data-code") as CodeAction;
    const message = readMessage({ kind: "code", action, turnId, text });
    if (message !== undefined) this.send(message);
  }
}
