/** The list of what can be chosen while a command or an attachment is written: a listbox that the composer controls. */
import type { Suggestion } from "../../src/chat/messages";
import { find, h, setAttribute } from "./dom";

export class Choices {
  private readonly list = find("choices");
  private items: readonly Suggestion[] = [];
  private active = 0;

  constructor(
    private readonly input: HTMLElement,
    private readonly take: (item: Suggestion) => void,
  ) {
    this.list.addEventListener("mousedown", (event) => this.click(event));
  }

  get isOpen(): boolean {
    return this.items.length > 0;
  }

  show(items: readonly Suggestion[]): void {
    this.items = items;
    this.active = 0;
    this.list.replaceChildren(...items.map(viewItem));
    this.mark();
  }

  hide(): void {
    if (this.isOpen) this.show([]);
  }

  move(by: number): void {
    this.active = (this.active + by + this.items.length) % this.items.length;
    this.mark();
  }

  takeActive(): void {
    const item = this.items[this.active];
    if (item !== undefined) this.take(item);
  }

  private mark(): void {
    this.list.hidden = !this.isOpen;
    setAttribute(this.input, "aria-activedescendant", this.isOpen ? `choice-${this.active}` : undefined);
    [...this.list.children].forEach((child, index) => {
      setAttribute(child, "aria-selected", index === this.active ? "true" : "false");
      if (index === this.active) child.scrollIntoView({ block: "nearest" });
    });
  }

  private click(event: Event): void {
    event.preventDefault(); // the composer keeps the focus
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    const item = option === null ? undefined : this.items[[...this.list.children].indexOf(option)];
    if (item !== undefined) this.take(item);
  }
}

function viewItem(item: Suggestion, index: number): HTMLElement {
  const detail = h("span", { class: "detail" }, item.detail);
  return h("li", { id: `choice-${index}`, role: "option" }, h("span", { class: "label" }, item.label), detail);
}
