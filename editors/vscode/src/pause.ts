import { commands, type Event, EventEmitter } from "vscode";

/** Whether completions are paused in this window. Chat and edits work all the same. */
export class Pause {
  readonly #changed = new EventEmitter<boolean>();
  #isOn = false;

  readonly onDidChange: Event<boolean> = this.#changed.event;

  get isOn(): boolean {
    return this.#isOn;
  }

  toggle(): void {
    this.#isOn = !this.#isOn;
    void commands.executeCommand("setContext", "heron.paused", this.#isOn);
    if (this.#isOn) void commands.executeCommand("editor.action.inlineSuggest.hide");
    this.#changed.fire(this.#isOn);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
