/** What goes with the next question: the front document, which can be left out, and what was attached. */
import { labelLines } from "../../src/chat/lines-label";
import type { ChatState, Front } from "../../src/chat/state";
import { button, find, h } from "./dom";
import type { Send } from "./send";

export class Chips {
  private readonly element = find("chips");
  private shown: Pick<ChatState, "front" | "usesFront" | "attachments"> | undefined;

  constructor(private readonly send: Send) {}

  update(state: ChatState): void {
    const { shown } = this;
    const same = shown?.front === state.front && shown?.usesFront === state.usesFront;
    if (same && shown?.attachments === state.attachments) return;
    this.shown = state;
    const attached = state.attachments.map((one, index) => this.viewAttachment(one.label, index));
    this.element.replaceChildren(...(state.front ? [this.viewFront(state.front, state.usesFront)] : []), ...attached);
  }

  private viewFront(front: Front, isUsed: boolean): HTMLElement {
    const name = labelOf(front);
    const title = isUsed ? `${name} goes with the question. Press to leave it out.` : `Press to send ${name} too.`;
    const toggle = () => this.send({ kind: "toggleFront" });
    return button(name, { class: "chip front", "aria-pressed": isUsed ? "true" : "false", title }, toggle);
  }

  private viewAttachment(label: string, index: number): HTMLElement {
    const remove = () => this.send({ kind: "detach", index });
    return h(
      "span",
      { class: "chip" },
      label,
      button("×", { "aria-label": `Remove ${label}`, title: "Remove" }, remove),
    );
  }
}

function labelOf({ path, range }: Front): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return range ? labelLines(name, range) : name;
}
