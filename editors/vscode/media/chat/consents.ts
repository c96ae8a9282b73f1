/**
 * Questions for the user's consent, each with its answers as buttons. A new one takes the focus, but none of its buttons
 * does: a key that was meant for something else must not allow anything.
 */
import type { Consent } from "../../src/chat/state";
import { button, find, h } from "./dom";
import type { Send } from "./send";

export class Consents {
  private readonly element = find("consents");
  private shown: readonly Consent[] = [];

  constructor(private readonly send: Send) {}

  update(consents: readonly Consent[]): void {
    if (consents === this.shown) return;
    const isNew = consents.length > this.shown.length;
    this.shown = consents;
    this.element.replaceChildren(...consents.map((consent) => this.view(consent)));
    if (isNew) this.element.querySelector<HTMLElement>(".consent:last-child")?.focus();
  }

  private view(consent: Consent): HTMLElement {
    const text = h("p", { id: `consent-${consent.id}` }, consent.text);
    const buttons = consent.choices.map((choice) =>
      button(choice, {}, () => this.send({ kind: "consent", id: consent.id, choice })),
    );
    const attributes = { class: "consent", role: "alertdialog", tabindex: -1, "aria-labelledby": text.id };
    return h("div", attributes, text, h("div", { class: "actions" }, ...buttons));
  }
}
