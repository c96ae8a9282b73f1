/** Where a question is written: commands by `/`, attachments by `#`, Enter asks, Escape stops. */
import { COMMANDS } from "../../src/chat/commands";
import type { Suggestion } from "../../src/chat/messages";
import { type ChatState, running } from "../../src/chat/state";
import { Choices } from "./choices";
import { find } from "./dom";
import { type Query, queryAt, replaceQuery } from "./query";
import type { Send } from "./send";

/** What is written and not yet asked, kept by the webview. */
export interface Drafts {
  read(): string;
  write(text: string): void;
}

export class Composer {
  private readonly input = find("question") as HTMLTextAreaElement;
  private readonly choices = new Choices(this.input, (item) => this.take(item));
  private state: ChatState | undefined;
  private query: Query | undefined;

  constructor(
    private readonly send: Send,
    private readonly drafts: Drafts,
  ) {
    this.input.value = drafts.read();
    this.input.addEventListener("input", () => this.change());
    this.input.addEventListener("blur", () => this.choices.hide());
    this.input.addEventListener("keydown", (event) => this.press(event));
    find("composer").addEventListener("submit", (event) => this.submit(event));
    find("stop").addEventListener("click", () => send({ kind: "stop" }));
    find("attach").addEventListener("click", () => send({ kind: "chooseAttachment" }));
    find("model").addEventListener("click", () => send({ kind: "chooseModel" }));
    this.fit();
  }

  update(state: ChatState): void {
    this.state = state;
    const isRunning = running(state) !== undefined;
    find("stop").hidden = !isRunning;
    find("send").hidden = isRunning;
    const model = find("model");
    model.textContent = state.model.model || "Model";
    model.title = `Model: ${state.model.model || "none yet"}. Press to choose another.`;
  }

  /** Put the cursor here, with a text if there is one. */
  focus(text: string | undefined): void {
    if (text !== undefined) this.write(text, text.length);
    this.input.focus();
  }

  /** What was found for a query; an answer to an older one is dropped. */
  suggest(query: string, items: readonly Suggestion[]): void {
    if (this.query?.kind === "attachment" && this.query.text === query) this.choices.show(items);
  }

  private change(): void {
    this.drafts.write(this.input.value);
    this.send({ kind: "draft", text: this.input.value });
    this.fit();
    this.query = queryAt(this.input.value, this.input.selectionEnd);
    if (this.query?.kind === "command") this.choices.show(commandsFor(this.query.text));
    else if (this.query?.kind === "attachment") this.send({ kind: "suggest", query: this.query.text });
    else this.choices.hide();
  }

  private press(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const act = this.choices.isOpen ? this.actOnChoices(event) : this.actOnText(event);
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  private actOnChoices(event: KeyboardEvent): (() => void) | undefined {
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.choices.move(1),
      ArrowUp: () => this.choices.move(-1),
      Enter: () => this.choices.takeActive(),
      Tab: () => this.choices.takeActive(),
      Escape: () => this.choices.hide(),
    };
    return event.shiftKey ? undefined : acts[event.key];
  }

  private actOnText(event: KeyboardEvent): (() => void) | undefined {
    const last = this.state?.turns.at(-1)?.question;
    if (event.key === "Enter" && !event.shiftKey) return () => this.ask();
    if (event.key === "Escape" && this.isRunning()) return () => this.send({ kind: "stop" });
    const recalls = event.key === "ArrowUp" && this.input.value === "" && last !== undefined;
    return recalls ? () => this.write(last, last.length) : undefined;
  }

  private isRunning(): boolean {
    return this.state !== undefined && running(this.state) !== undefined;
  }

  private submit(event: Event): void {
    event.preventDefault();
    this.ask();
  }

  private ask(): void {
    const text = this.input.value.trim();
    if (text === "" || this.isRunning()) return;
    this.send({ kind: "ask", text });
    this.write("", 0);
  }

  private take(item: Suggestion): void {
    if (this.query === undefined) return;
    if (item.attachment !== undefined) this.send({ kind: "attach", attachment: item.attachment });
    const after = replaceQuery(this.input.value, this.input.selectionEnd, this.query, item.insert ?? "");
    this.write(after.text, after.cursor);
  }

  private write(text: string, cursor: number): void {
    this.input.value = text;
    this.input.setSelectionRange(cursor, cursor);
    this.change();
  }

  /** As many rows as there are lines, within limits. */
  private fit(): void {
    const rows = this.input.value.split("\n").length;
    this.input.rows = Math.min(12, Math.max(1, rows));
  }
}

function commandsFor(text: string): readonly Suggestion[] {
  const found = COMMANDS.filter(([name]) => name.startsWith(text));
  return found.map(([name, detail]) => ({ label: `/${name}`, detail, insert: `/${name} ` }));
}
