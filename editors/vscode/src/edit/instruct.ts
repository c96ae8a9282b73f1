/** Changing code by an instruction: the diff grows while the model writes, then is accepted or rejected. */
import { randomUUID } from "node:crypto";
import { CancellationTokenSource, ProgressLocation, type TextEditor, window, workspace } from "vscode";
import { codeOf } from "./answer";
import { indentOf, isBlank, reindent, splitLines } from "./lines";
import { type Lines, locate } from "./locate";
import type { Preview } from "./preview";
import { type Editing, type Proposal, propose } from "./propose";

interface Report {
  readonly restart: boolean;
  readonly delta: string;
}

const MAX_INSTRUCTION = 2_000;

/** Change the selection, or the definition around the cursor. The instruction is asked for if it is not given. */
export async function instruct(editing: Editing, given?: string): Promise<boolean> {
  const editor = window.activeTextEditor;
  if (editor === undefined) throw new Error("Open the file to change first.");
  const instruction = given ?? (await askInstruction(editor));
  if (instruction === undefined || instruction.trim() === "") return false;
  const uri = editor.document.uri;
  const label = `Edit: ${instruction}`;
  const name = workspace.asRelativePath(uri).split("/").at(-1) ?? "";
  const text = editor.document.getText();
  const preview = await editing.previews.open({ document: uri, path: uri.path, label: `${name}: ${label}` }, text);
  try {
    const proposal = await write(editing, { editor, instruction, preview });
    return await propose(editing, { ...proposal, label }, preview);
  } finally {
    await preview.close();
  }
}

async function askInstruction(editor: TextEditor): Promise<string | undefined> {
  const { start, end, isEmpty } = editor.selection;
  const what = isEmpty ? "the definition at the cursor" : `lines ${start.line + 1} to ${end.line + 1}`;
  return window.showInputBox({
    title: "Heron: Edit",
    prompt: `How shall ${what} be changed?`,
    placeHolder: "handle an empty list",
    validateInput: (text) => (text.length > MAX_INSTRUCTION ? `At most ${MAX_INSTRUCTION} characters.` : undefined),
  });
}

interface Writing {
  readonly editor: TextEditor;
  readonly instruction: string;
  readonly preview: Preview;
}

/** Ask for the edit, showing what is written of it. Rejecting the diff or cancelling the progress ends it. */
async function write(editing: Editing, writing: Writing): Promise<Proposal> {
  const { document, selection } = writing.editor;
  const workDoneToken = randomUUID();
  const params = {
    textDocument: { uri: editing.server.convert.uri(document.uri), version: document.version },
    range: editing.server.convert.range(selection),
    instruction: writing.instruction,
    workDoneToken,
  };
  const listening = editing.server.onProgress<Report>(workDoneToken, makeWriter(writing));
  const source = new CancellationTokenSource();
  void writing.preview.decision.then(() => source.cancel());
  const options = { location: ProgressLocation.Window, title: "Heron is writing…" };
  try {
    return await window.withProgress(options, () => editing.server.sendRequest("heron/edit", params, source.token));
  } finally {
    listening.dispose();
    source.dispose();
  }
}

/** Puts what was written so far over the lines it is written for. */
function makeWriter({ editor, preview }: Writing): (report: Report) => void {
  const lines = splitLines(editor.document.getText());
  const chosen = linesOf(editor);
  let answer = "";
  return ({ restart, delta }) => {
    answer = restart ? delta : answer + delta;
    const code = codeOf(answer);
    if (code === undefined) return;
    const block = splitLines(code.replace(/\n$/, ""));
    const place = chosen ?? locate(lines, block);
    if (place) preview.write(replaceLines(lines, place, block).join("\n"));
  };
}

/** The selected lines; without a selection only the server knows them. */
function linesOf({ selection }: TextEditor): Lines | undefined {
  if (selection.isEmpty) return undefined;
  const { start, end } = selection;
  return { first: start.line, end: end.character === 0 && end.line > start.line ? end.line : end.line + 1 };
}

/** What is still to be written is left as it is: the diff grows from its top. */
function replaceLines(lines: readonly string[], place: Lines, block: readonly string[]): readonly string[] {
  const old = lines.slice(place.first, place.end);
  const indent = indentOf(old.find((line) => !isBlank(line)) ?? "");
  const rest = old.slice(block.length);
  return [...lines.slice(0, place.first), ...reindent(block, indent), ...rest, ...lines.slice(place.end)];
}
