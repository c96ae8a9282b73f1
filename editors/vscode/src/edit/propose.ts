/** A workspace edit shown as diffs, one file after the other, and made once the user accepted all of them. */
import { type TextDocument, Uri, window, workspace } from "vscode";
import type * as lsp from "vscode-languageserver-protocol";
import type { HeronServer } from "../server";
import { type FileChange, readChanges } from "./changes";
import type { Preview, Previews } from "./preview";
import { applyEdits } from "./text-edits";

/** What edits need to be shown and made. */
export interface Editing {
  readonly server: HeronServer;
  readonly previews: Previews;
}

export interface Proposal {
  readonly label: string;
  readonly edit: lsp.WorkspaceEdit;
}

/** A file as it was when the edit was proposed; `document` is undefined for one that is to be made. */
interface Target {
  readonly change: FileChange;
  readonly document: TextDocument | undefined;
  readonly version: number | undefined;
}

/**
 * Whether the user accepted and the edit was made. `preview` is the diff of the first file, if it is open already.
 * Fails, without changing anything, if a document was changed meanwhile.
 */
export async function propose(editing: Editing, proposal: Proposal, preview?: Preview): Promise<boolean> {
  const targets = await Promise.all(readChanges(proposal.edit).map(openTarget));
  let open = preview;
  for (const target of targets) {
    open ??= await openDiff(editing.previews, target, proposal.label);
    if (!(await isAccepted(open, target))) return false;
    open = undefined;
  }
  targets.forEach(requireSame);
  const edit = await editing.server.convert.toWorkspaceEdit(proposal.edit);
  if (!(await workspace.applyEdit(edit))) throw new Error("VS Code did not make the edit.");
  await reveal(targets);
  return true;
}

async function openTarget(change: FileChange): Promise<Target> {
  const document = change.creates ? undefined : await workspace.openTextDocument(Uri.parse(change.uri));
  const target = { change, document, version: document?.version };
  if (document && change.version !== null && change.version !== document.version) throw changed(document);
  return target;
}

async function openDiff(previews: Previews, target: Target, label: string): Promise<Preview> {
  const uri = Uri.parse(target.change.uri);
  const name = uri.path.slice(uri.path.lastIndexOf("/") + 1);
  return previews.open(
    { document: target.document?.uri, path: uri.path, label: `${name}: ${label}` },
    textAfter(target),
  );
}

async function isAccepted(preview: Preview, target: Target): Promise<boolean> {
  preview.write(textAfter(target));
  preview.finish();
  const accepted = await preview.decision;
  await preview.close();
  return accepted;
}

function textAfter({ document, change }: Target): string {
  return applyEdits(document?.getText() ?? "", change.edits);
}

function requireSame({ document, version }: Target): void {
  if (document && document.version !== version) throw changed(document);
}

function changed(document: TextDocument): Error {
  return new Error(
    `${workspace.asRelativePath(document.uri)} was changed meanwhile, so nothing was edited. Ask again.`,
  );
}

/** Show the first change where it was made. */
async function reveal([target]: readonly Target[]): Promise<void> {
  if (target === undefined) return;
  const editor = await window.showTextDocument(Uri.parse(target.change.uri), { preview: false });
  const start = target.change.edits[0]?.range.start;
  if (start) editor.revealRange(editor.document.lineAt(Math.min(start.line, editor.document.lineCount - 1)).range);
}
