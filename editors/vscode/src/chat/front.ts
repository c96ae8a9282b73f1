/** The document the user is in, followed as it changes: it goes with each question unless it is left out. */
import { type Disposable, type TextEditor, window, workspace } from "vscode";
import type { HeronServer } from "../server";
import type { Front } from "./state";
import type { ChatStore } from "./store";

export function followFront(server: HeronServer, store: ChatStore): Disposable[] {
  const take = (editor: TextEditor | undefined) => {
    const front = editor && isDocument(editor) ? readFront(server, editor) : undefined;
    if (isSame(front, store.state.front)) return;
    store.dispatch({ kind: "frontChanged", front });
  };
  take(window.activeTextEditor);
  return [
    window.onDidChangeActiveTextEditor((editor) => {
      if (editor && isDocument(editor)) take(editor); // other editors come to the front without the user leaving theirs
    }),
    workspace.onDidCloseTextDocument((document) => {
      if (server.convert.uri(document.uri) === store.state.front?.uri) take(window.activeTextEditor);
    }),
    window.onDidChangeTextEditorSelection(({ textEditor }) => {
      if (textEditor === window.activeTextEditor && isDocument(textEditor)) take(textEditor);
    }),
  ];
}

export function readFront(server: HeronServer, editor: TextEditor): Front {
  const { document, selection } = editor;
  const front = { uri: server.convert.uri(document.uri), path: workspace.asRelativePath(document.uri) };
  return selection.isEmpty ? front : { ...front, range: server.convert.range(selection) };
}

/** Outputs, comparisons and the like are no documents of the user's. */
function isDocument(editor: TextEditor): boolean {
  return editor.document.uri.scheme === "file" || editor.document.uri.scheme === "untitled";
}

function isSame(a: Front | undefined, b: Front | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
