/** What a program wrote last to stderr: of one that failed, mostly why. */

const KEPT_CHARACTERS = 4_000;
const LINE_CHARACTERS = 300;

export class LastWords {
  #text = "";

  hear(text: string): void {
    this.#text = (this.#text + text).slice(-KEPT_CHARACTERS);
  }

  /** The last line that is not blank; empty if nothing was written. */
  get line(): string {
    const lines = this.#text.split(/\r?\n/).filter((line) => line.trim() !== "");
    return (lines.at(-1) ?? "").trim().slice(0, LINE_CHARACTERS);
  }
}
