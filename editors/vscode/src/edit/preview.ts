/** A change shown as a diff before it is made: the document on the left, what it would become on the right. */
import {
  commands,
  type Disposable,
  EventEmitter,
  TabInputTextDiff,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from "vscode";

export const SCHEME = "heron-proposed";
const ACTIVE = "heron.preview";

/** What a diff shows. `document` is undefined for a file that does not exist yet, which `path` then names. */
export interface Shown {
  readonly document: Uri | undefined;
  readonly path: string;
  readonly label: string;
}

/** An open diff. It can be written on until it is decided. */
export interface Preview {
  write(text: string): void;
  /** From now on it can be accepted. */
  finish(): void;
  /** Whether the user accepted; false too if the diff was closed. */
  readonly decision: Promise<boolean>;
  close(): Promise<void>;
}

interface Open {
  readonly uri: Uri;
  readonly decide: (accepted: boolean) => void;
  text: string;
  finished: boolean;
}

export class Previews implements TextDocumentContentProvider, Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly #open = new Map<string, Open>();
  readonly #disposables: Disposable[];
  #number = 0;

  readonly onDidChange = this.#changed.event;

  constructor() {
    this.#disposables = [
      workspace.registerTextDocumentContentProvider(SCHEME, this),
      window.tabGroups.onDidChangeTabs(({ closed }) => this.#rejectClosed(closed.map((tab) => tab.input))),
      window.tabGroups.onDidChangeTabs(() => this.#tell()),
      commands.registerCommand("heron.edit.accept", () => this.#decide(true)),
      commands.registerCommand("heron.edit.reject", () => this.#decide(false)),
    ];
  }

  dispose(): void {
    for (const disposable of [...this.#disposables, this.#changed]) disposable.dispose();
  }

  provideTextDocumentContent(uri: Uri): string {
    return this.#open.get(uri.toString())?.text ?? "";
  }

  /** Open a diff that shows `text` on its right. */
  async open({ document, path, label }: Shown, text: string): Promise<Preview> {
    this.#number += 1;
    const uri = Uri.from({ scheme: SCHEME, path, query: String(this.#number) });
    let decide: (accepted: boolean) => void = () => {};
    const decision = new Promise<boolean>((resolve) => {
      decide = resolve;
    });
    const open: Open = { uri, decide, text, finished: false };
    this.#open.set(uri.toString(), open);
    const left = document ?? uri.with({ query: "" });
    await commands.executeCommand("vscode.diff", left, uri, label, { preview: true });
    await this.#tell();
    return {
      write: (written) => this.#write(open, written),
      finish: () => this.#finish(open),
      decision,
      close: () => this.#close(open),
    };
  }

  #write(open: Open, text: string): void {
    if (open.text === text) return;
    open.text = text;
    this.#changed.fire(open.uri);
  }

  #finish(open: Open): void {
    open.finished = true;
    void this.#tell();
  }

  async #close(open: Open): Promise<void> {
    this.#open.delete(open.uri.toString());
    open.decide(false);
    const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
    await window.tabGroups.close(tabs.filter((tab) => keyOf(tab.input) === open.uri.toString()));
    await this.#tell();
  }

  #decide(accepted: boolean): void {
    const open = this.#active();
    if (open !== undefined && (open.finished || !accepted)) open.decide(accepted);
  }

  #rejectClosed(inputs: readonly unknown[]): void {
    for (const input of inputs) this.#open.get(keyOf(input) ?? "")?.decide(false);
  }

  #active(): Open | undefined {
    return this.#open.get(keyOf(window.tabGroups.activeTabGroup.activeTab?.input) ?? "");
  }

  /** Keys and buttons go by whether the diff in front can be decided. */
  async #tell(): Promise<void> {
    const open = this.#active();
    const state = open === undefined ? "none" : open.finished ? "ready" : "writing";
    await commands.executeCommand("setContext", ACTIVE, state);
  }
}

function keyOf(input: unknown): string | undefined {
  return input instanceof TabInputTextDiff ? input.modified.toString() : undefined;
}
