/** Tells the server where the cursor rests, so that its model reads the place before the first completion there. */
import { type Disposable, type TextDocument, type TextEditor, window } from "vscode";
import type { HeronServer } from "./server";

const METHOD = "heron/didChangeCursor";
const SCHEMES: ReadonlySet<string> = new Set(["file", "untitled"]);

export function tellCursor(server: HeronServer): Disposable[] {
  const versions = new WeakMap<TextDocument, number>();
  const tell = (editor: TextEditor | undefined) => {
    if (!editor || !SCHEMES.has(editor.document.uri.scheme)) return;
    versions.set(editor.document, editor.document.version);
    const { line, character } = editor.selection.active;
    const textDocument = { uri: server.convert.uri(editor.document.uri) };
    void server.sendNotification(METHOD, { textDocument, position: { line, character } });
  };
  /** What is typed moves the cursor too, but asks for a completion by itself. */
  const moved = (editor: TextEditor) => {
    const before = versions.get(editor.document) ?? editor.document.version;
    versions.set(editor.document, editor.document.version);
    if (before === editor.document.version) tell(editor);
  };
  return [
    window.onDidChangeActiveTextEditor(tell),
    window.onDidChangeTextEditorSelection(({ textEditor }) => moved(textEditor)),
    server.onDidChangeState((state) => {
      if (state === "running") tell(window.activeTextEditor);
    }),
  ];
}
