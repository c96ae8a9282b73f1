/** Inline completions: vscode-languageclient asks and offers; here is what it asks for and what becomes of it. */
import {
  commands,
  type Disposable,
  type InlineCompletionItem,
  type InlineCompletionList,
  type TextDocument,
  type TextDocumentChangeEvent,
  window,
  workspace,
} from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { HeronServer } from "./server";

const ACCEPTED = "heron.completion.accepted";
const DISMISS = "heron.completion.dismiss";
const DISMISSED = "heron/didDismissCompletion";
const SHOWN = "textDocument/didShowCompletion";
const ACCEPTED_PARTLY = "textDocument/didPartiallyAcceptCompletion";

/** An item on offer: where it belongs, and how much of it stands in the document. */
interface Offer {
  readonly uri: string;
  readonly start: number;
  readonly text: string;
  length: number;
}

export class Completion implements Disposable {
  readonly #server: HeronServer;
  readonly #disposables: Disposable[];
  #offer: Offer | undefined;

  constructor(server: HeronServer) {
    this.#server = server;
    this.#disposables = [
      commands.registerCommand(ACCEPTED, (text: string) => this.#accepted(text)),
      commands.registerCommand(DISMISS, () => this.#dismiss()),
      workspace.onDidChangeTextDocument((event) => this.#follow(event)),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  readonly middleware: Middleware = {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      if (!isWanted(document)) return null;
      const version = document.version;
      const result = await next(document, position, context, token);
      const items = itemsOf(result);
      for (const item of items) item.command = acceptedCommand(textOf(item));
      if (token.isCancellationRequested || document.version !== version) return result;
      const first = items[0];
      if (first) this.#shown(document, document.offsetAt(first.range?.start ?? position), textOf(first));
      return result;
    },
  };

  /** Tell of an item the first time it is shown, not again while it is being typed. */
  #shown(document: TextDocument, start: number, text: string): void {
    const uri = document.uri.toString();
    const before = this.#offer;
    const goesOn =
      before?.uri === uri && before.start + before.length === start && text === before.text.slice(before.length);
    if (goesOn || window.activeTextEditor?.document !== document) return;
    this.#offer = { uri, start, text, length: 0 };
    void this.#server.sendNotification(SHOWN, { item: { insertText: text } });
  }

  /**
   * See how the offer is typed or accepted piece by piece. VS Code tells nobody of accepted words and lines: they are
   * insertions of more than one character that go on with the offer.
   */
  #follow({ document, contentChanges }: TextDocumentChangeEvent): void {
    const offer = this.#offer;
    if (!offer || document.uri.toString() !== offer.uri || contentChanges.length === 0) return;
    const change = contentChanges[0];
    const isNext = change?.rangeLength === 0 && change.rangeOffset === offer.start + offer.length;
    if (!isNext || contentChanges.length > 1 || !offer.text.startsWith(change.text, offer.length)) {
      this.#offer = undefined;
      return;
    }
    offer.length += change.text.length;
    const isPiece = change.text.length > 1 && offer.length < offer.text.length;
    if (isPiece) this.#tellAccepted(offer.text, offer.length);
  }

  #accepted(text: string): void {
    this.#offer = undefined;
    this.#tellAccepted(text, text.length);
  }

  /** Hide what is drawn, which may be another extension's, and tell the server if it is ours: it is not offered again. */
  async #dismiss(): Promise<void> {
    await commands.executeCommand("editor.action.inlineSuggest.hide");
    const document = window.activeTextEditor?.document;
    if (!document || this.#offer?.uri !== document.uri.toString()) return;
    this.#offer = undefined;
    await this.#server.sendNotification(DISMISSED, { textDocument: { uri: this.#server.convert.uri(document.uri) } });
  }

  #tellAccepted(text: string, length: number): void {
    void this.#server.sendNotification(ACCEPTED_PARTLY, { item: { insertText: text }, acceptedLength: length });
  }
}

/** Whether the user wants completions in this language. */
function isWanted(document: TextDocument): boolean {
  const languages = workspace.getConfiguration("heron.editor", document).get<Record<string, boolean>>("languages", {});
  return languages[document.languageId] ?? languages["*"] ?? true;
}

function itemsOf(result: InlineCompletionItem[] | InlineCompletionList | null | undefined): InlineCompletionItem[] {
  return Array.isArray(result) ? result : (result?.items ?? []);
}

function textOf(item: InlineCompletionItem): string {
  return typeof item.insertText === "string" ? item.insertText : item.insertText.value;
}

function acceptedCommand(text: string): NonNullable<InlineCompletionItem["command"]> {
  return { title: "Accepted", command: ACCEPTED, arguments: [text] };
}
