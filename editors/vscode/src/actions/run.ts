/** Choosing a code action: the model writes its edit, a diff shows it. */
import { type CancellationToken, type Progress, ProgressLocation, type TextEditor, window } from "vscode";
import type * as lsp from "vscode-languageserver-protocol";
import { type Editing, propose } from "../edit/propose";

/** An action as it is told to the server again; `data` is what it gave with it, for it alone to read. */
export interface Offered {
  readonly title: string;
  readonly data: lsp.LSPAny;
}

/** Run the action of a name at the selection, if there is one. Undefined where none is offered. */
export async function runNamed(editing: Editing, editor: TextEditor, name: string): Promise<boolean | undefined> {
  const { server } = editing;
  const found = await server.sendRequest<readonly lsp.CodeAction[] | null>("textDocument/codeAction", {
    textDocument: { uri: server.convert.uri(editor.document.uri) },
    range: server.convert.range(editor.selection),
    context: { diagnostics: [], triggerKind: 1 },
  });
  const action = found?.find(
    ({ data, disabled }) => !disabled && (data as { action?: unknown } | null)?.action === name,
  );
  return action && preview(editing, { title: action.title, data: action.data });
}

/** Show what an action would change; whether it was made. */
export async function preview(editing: Editing, action: Offered): Promise<boolean> {
  const { title } = action;
  const options = { location: ProgressLocation.Notification, title: `Heron: ${title}…`, cancellable: true };
  const work = (_: Progress<unknown>, token: CancellationToken) =>
    editing.server.sendRequest<lsp.CodeAction>("codeAction/resolve", action, token);
  const { edit } = await window.withProgress(options, work);
  if (edit === undefined) throw new Error("The action came to nothing.");
  return propose(editing, { label: title, edit });
}
