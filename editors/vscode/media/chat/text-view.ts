/** A piece of Markdown that grows: only the blocks that changed are put in anew, so focus and selections stay. */
import { h } from "./dom";
import type { RenderBlocks } from "./markdown";

export class TextView {
  readonly element = h("div", { class: "text" });
  private shown: readonly string[] = [];

  constructor(private readonly render: RenderBlocks) {}

  update(text: string): void {
    const blocks = this.render(text);
    blocks.forEach((html, index) => {
      if (this.shown[index] !== html) this.put(index, html);
    });
    while (this.element.children.length > blocks.length) this.element.lastElementChild?.remove();
    this.shown = blocks;
  }

  private put(index: number, html: string): void {
    const known = this.element.children[index];
    const block = known ?? this.element.appendChild(h("div", { class: "block" }));
    block.innerHTML = html; // from the renderer, which lets no HTML of the model's through
  }
}
