/** An LSP WorkspaceEdit as what becomes of each file. */
import type * as lsp from "vscode-languageserver-protocol";

export interface FileChange {
  readonly uri: string;
  /** The version that the edits mean, null where none was told. */
  readonly version: number | null;
  readonly edits: readonly lsp.TextEdit[];
  readonly creates: boolean;
}

/** Files in the order they first occur. Renaming and deleting are nothing the server asks for: an error. */
export function readChanges(edit: lsp.WorkspaceEdit): readonly FileChange[] {
  const changes = new Map<string, FileChange>();
  for (const change of edit.documentChanges ?? fromMap(edit.changes ?? {})) {
    const read = "kind" in change ? readOperation(change) : readEdits(change);
    const known = changes.get(read.uri);
    changes.set(read.uri, known ? merge(known, read) : read);
  }
  return [...changes.values()];
}

function fromMap(changes: NonNullable<lsp.WorkspaceEdit["changes"]>): readonly lsp.TextDocumentEdit[] {
  return Object.entries(changes).map(([uri, edits]) => ({ textDocument: { uri, version: null }, edits }));
}

function readEdits({ textDocument, edits }: lsp.TextDocumentEdit): FileChange {
  const plain = edits.map((edit) => {
    if (!("newText" in edit)) throw new Error("Snippets cannot be previewed.");
    return { range: edit.range, newText: edit.newText };
  });
  return { uri: textDocument.uri, version: textDocument.version, edits: plain, creates: false };
}

function readOperation(operation: lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile): FileChange {
  if (operation.kind !== "create") throw new Error(`An edit that would ${operation.kind} a file is not taken.`);
  return { uri: operation.uri, version: null, edits: [], creates: true };
}

function merge(known: FileChange, more: FileChange): FileChange {
  const edits = [...known.edits, ...more.edits];
  return { ...known, version: known.version ?? more.version, edits, creates: known.creates || more.creates };
}
