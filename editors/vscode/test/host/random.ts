/** Random keys, accepts, undos and cursor moves: the text must be what a model of them says. */
import { strict as assert } from "node:assert";
import { commands, type TextEditor } from "vscode";
import { answered, changing, Ear, openText, type } from "./editing";
import { type Suite, untilReady } from "./harness";

const STEPS = 200;
const SEED = 7;
/** Above that the document is emptied: the server offers no line that is there many times over. */
const MOST_LINES = 6;
const LETTERS: readonly string[] = ["a", "b", "p", "x", " ", "=", "(", "1", "é", "日"];
const MOVES: readonly string[] = ["cursorLeft", "cursorRight", "cursorUp", "cursorDown", "cursorHome", "cursorEnd"];
const SHOWN = "textDocument/didShowCompletion";
/** What each command accepts of the answer. */
const PIECES: readonly [string, RegExp][] = [
  ["editor.action.inlineSuggest.commit", /^.*/],
  ["editor.action.inlineSuggest.acceptNextWord", /^\s*(\w+|[^\w\s]+)/],
  ["editor.action.inlineSuggest.acceptNextLine", /^.*/],
];

/** What the model of the tests says. */
function answerFor(line: number): string {
  return `price${line} * count`;
}

export function testRandom(suite: Suite): void {
  suite.test("the text is always what the model says", async () => {
    await untilReady();
    using ear = await new Ear().listen();
    const walk = new Walk(await openText("random.txt", "total =\n"), ear);
    for (let step = 0; step < STEPS; step++) await walk.step(step);
    suite.notes["random"] = walk.counts;
  });
}

class Walk {
  readonly counts: Record<string, number> = {};
  readonly #past = new Set<string>();
  #random = SEED;
  #line = 0;

  constructor(
    readonly editor: TextEditor,
    readonly ear: Ear,
  ) {}

  async step(number: number): Promise<void> {
    const kinds: readonly (() => Promise<string | undefined>)[] = [
      this.letter,
      this.letter,
      this.accept,
      this.accept,
      this.move,
      this.deleteLeft,
      this.undo,
      this.hide,
    ];
    const kind = this.#choose(kinds);
    this.#past.add(this.#text);
    const expected = await kind.call(this);
    this.counts[kind.name] = (this.counts[kind.name] ?? 0) + 1;
    if (expected !== undefined) assert.equal(this.#text, expected, `step ${number}, ${kind.name}`);
  }

  async letter(): Promise<string> {
    const letter = this.#choose(LETTERS);
    const expected = this.#withAtCursor(letter);
    await type(letter);
    return expected;
  }

  /** On a line of its own, so that what is offered is known; often the accept is undone. */
  async accept(): Promise<string> {
    if (this.editor.document.lineCount > MOST_LINES) await this.#clear();
    const typed = this.#choose(["", "p", "pr"]);
    const isShown = await this.#offered(++this.#line);
    for (const letter of typed) await type(letter);
    const before = this.#text;
    if (!isShown) return before;
    const [command, piece] = this.#choose(PIECES);
    const accepted = piece.exec(answerFor(this.#line).slice(typed.length))?.[0] ?? "";
    await changing(this.editor, command);
    assert.equal(this.#text, before + accepted, command);
    this.counts["accepted"] = (this.counts["accepted"] ?? 0) + 1;
    if (this.#next(2) === 0) return before + accepted;
    await changing(this.editor, "undo");
    assert(before.startsWith(this.#text), "the undo of an accept");
    return this.#text;
  }

  /** Whether something is offered at the end of a line that is typed below all others. No line is like another: what was
   * undone is not offered again for a while. */
  async #offered(line: number): Promise<boolean> {
    await commands.executeCommand("cursorBottom");
    await type("\n");
    await type(`total${line} =`);
    const numShown = this.ear.of(SHOWN).length;
    await type(" ");
    const timings = await answered(this.editor.document);
    if (timings?.outcome === "silent") return false;
    await this.ear.until(SHOWN, numShown + 1);
    return true;
  }

  async #clear(): Promise<void> {
    await commands.executeCommand("editor.action.selectAll");
    await changing(this.editor, "deleteLeft");
  }

  async move(): Promise<string> {
    const expected = this.#text;
    await commands.executeCommand(this.#choose(MOVES));
    return expected;
  }

  async hide(): Promise<string> {
    const expected = this.#text;
    await commands.executeCommand("editor.action.inlineSuggest.hide");
    return expected;
  }

  async deleteLeft(): Promise<string> {
    const offset = this.#offset;
    const width = [...this.#text.slice(0, offset)].at(-1)?.length ?? 0;
    const expected = this.#text.slice(0, offset - width) + this.#text.slice(offset);
    await commands.executeCommand("deleteLeft");
    return expected;
  }

  /** How much one undo takes back is VS Code's to decide; it must be a text that was. */
  async undo(): Promise<undefined> {
    await commands.executeCommand("undo");
    const isKnown = this.#past.has(this.#text) || this.#isBetween();
    assert(isKnown, `an undo made a text that never was: ${JSON.stringify(this.#text)}`);
  }

  /** Texts between the steps that `accept` types are not in the past: they are the beginning of one that is. */
  #isBetween(): boolean {
    return [...this.#past].some((text) => text.startsWith(this.#text));
  }

  get #text(): string {
    return this.editor.document.getText();
  }

  get #offset(): number {
    return this.editor.document.offsetAt(this.editor.selection.active);
  }

  #withAtCursor(text: string): string {
    return this.#text.slice(0, this.#offset) + text + this.#text.slice(this.#offset);
  }

  #choose<T>(list: readonly T[]): T {
    const chosen = list[this.#next(list.length)];
    assert(chosen !== undefined);
    return chosen;
  }

  /** A whole number below a limit, by a linear congruential generator: the same walk each time. */
  #next(limit: number): number {
    this.#random = (this.#random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((this.#random / 2_147_483_648) * limit);
  }
}
