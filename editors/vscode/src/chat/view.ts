/** The chat's view: shows the store's state in a webview, and hands on what the user does there. */
import { randomBytes } from "node:crypto";
import {
  type CancellationToken,
  commands,
  type Disposable,
  EventEmitter,
  Uri,
  type Webview,
  type WebviewView,
  type WebviewViewProvider,
  type WebviewViewResolveContext,
} from "vscode";
import { type FromView, readMessage, type ToView } from "./messages";
import { writePage } from "./page";
import type { ChatStore } from "./store";

export const VIEW = "heron.chat";

export class ChatView implements WebviewViewProvider, Disposable {
  readonly #root: Uri;
  readonly #store: ChatStore;
  readonly #messages = new EventEmitter<FromView>();
  #view: WebviewView | undefined;
  #isReady = false;
  /** What is told once the page can listen. */
  #waiting: ToView[] = [];

  readonly onDidReceive = this.#messages.event;

  constructor(root: Uri, store: ChatStore) {
    this.#root = root;
    this.#store = store;
    store.onDidHappen((event) => {
      if (this.#isReady) this.#post({ kind: "event", event });
      this.#describe();
    });
  }

  get isVisible(): boolean {
    return this.#isReady && this.#view?.visible === true;
  }

  resolveWebviewView(view: WebviewView, _context: WebviewViewResolveContext, _token: CancellationToken): void {
    this.#view = view;
    view.webview.options = {
      enableScripts: true,
      localResourceRoots: [Uri.joinPath(this.#root, "dist", "webview")],
    };
    view.webview.onDidReceiveMessage((value: unknown) => this.#receive(value));
    view.onDidDispose(() => {
      this.#view = undefined;
      this.#isReady = false;
    });
    view.onDidChangeVisibility(() => {
      if (!view.visible) this.#isReady = false; // the page is gone until it is shown again
    });
    view.webview.html = this.#page(view.webview);
    this.#describe();
  }

  /** Show the view and put the cursor into it, with a text if there is one. */
  async focus(text?: string): Promise<void> {
    await commands.executeCommand(`${VIEW}.focus`);
    this.tell(text === undefined ? { kind: "focus" } : { kind: "focus", text });
  }

  /** Tell the page, now or as soon as it listens. */
  tell(message: ToView): void {
    if (this.#isReady) this.#post(message);
    else this.#waiting.push(message);
  }

  dispose(): void {
    this.#messages.dispose();
  }

  #receive(value: unknown): void {
    const message = readMessage(value);
    if (message?.kind === "ready") this.#begin();
    if (message !== undefined) this.#messages.fire(message);
  }

  #begin(): void {
    this.#isReady = true;
    this.#post({ kind: "state", state: this.#store.state });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#post(message);
  }

  #post(message: ToView): void {
    void this.#view?.webview.postMessage(message);
  }

  #describe(): void {
    if (this.#view) this.#view.description = this.#store.state.title;
  }

  #page(webview: Webview): string {
    const address = (...path: readonly string[]) => webview.asWebviewUri(Uri.joinPath(this.#root, ...path)).toString();
    return writePage({
      nonce: randomBytes(18).toString("base64"),
      source: webview.cspSource,
      script: address("dist", "webview", "chat.js"),
      style: address("dist", "webview", "chat.css"),
    });
  }
}
