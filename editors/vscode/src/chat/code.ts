/** What is done with the code of an answer: shown as a change of the document, inserted, copied. */
import { env, type TextDocument, type TextEditor, Uri, window, workspace } from "vscode";
import { blockEdit, insertedAt } from "../edit/block-edit";
import { splitLines } from "../edit/lines";
import { type Lines, locate } from "../edit/locate";
import { type Editing, propose } from "../edit/propose";
import type { CodeAction } from "./messages";
import type { Front, Turn } from "./state";
import type { EditOffer } from "./wire";

export async function useCode(
  editing: Editing,
  action: CodeAction,
  text: string,
  turn: Turn | undefined,
): Promise<void> {
  const code = text.replace(/\n$/, "");
  if (action === "copy") return env.clipboard.writeText(code);
  if (action === "insert") return insert(code);
  await apply(editing, code, turn?.front);
}

/** Show the edits an answer offers. */
export async function proposeOffers(editing: Editing, offers: readonly EditOffer[]): Promise<void> {
  const documentChanges = offers.map(({ textDocument, range, newText }) => ({
    textDocument,
    edits: [{ range, newText }],
  }));
  await propose(editing, { label: "Edits of the answer", edit: { documentChanges } });
}

async function insert(code: string): Promise<void> {
  const editor = requireEditor();
  const { document, selection } = editor;
  const before = document.lineAt(selection.start.line).text.slice(0, selection.start.character);
  await editor.edit((builder) => builder.replace(selection, insertedAt(before, splitLines(code))));
  await window.showTextDocument(document, editor.viewColumn);
}

/** Show what the code makes of the document that was asked about, else of the one in front. */
async function apply(editing: Editing, code: string, front: Front | undefined): Promise<void> {
  const document = front ? await workspace.openTextDocument(Uri.parse(front.uri)) : requireEditor().document;
  const lines = splitLines(document.getText());
  const block = splitLines(code);
  const place = locate(lines, block) ?? chosenLines(front, lines) ?? belowCursor(document);
  const textDocument = { uri: editing.server.convert.uri(document.uri), version: document.version };
  const edit = { documentChanges: [{ textDocument, edits: [blockEdit(lines, place, block)] }] };
  await propose(editing, { label: "Code of the answer", edit });
}

/** The lines that were selected when the question was asked. */
function chosenLines(front: Front | undefined, lines: readonly string[]): Lines | undefined {
  if (front?.range === undefined || front.range.end.line >= lines.length) return undefined;
  const { start, end } = front.range;
  return { first: start.line, end: end.character === 0 && end.line > start.line ? end.line : end.line + 1 };
}

/** Below the cursor, or at the end of a document that is not shown; nothing is replaced. */
function belowCursor(document: TextDocument): Lines {
  const editor = window.visibleTextEditors.find((shown) => shown.document === document);
  const below = editor ? editor.selection.end.line + 1 : document.lineCount;
  return { first: below, end: below };
}

function requireEditor(): TextEditor {
  const editor = window.activeTextEditor;
  if (editor === undefined) throw new Error("Open the file the code is for first.");
  return editor;
}
