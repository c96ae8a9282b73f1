/** Lines of a document in words. */
import type * as lsp from "vscode-languageserver-protocol";

/** `path:3` or `path:3-7`, counted from 1; a range that ends at the beginning of a line leaves that line out. */
export function labelLines(path: string, { start, end }: lsp.Range): string {
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return last === start.line ? `${path}:${start.line + 1}` : `${path}:${start.line + 1}-${last + 1}`;
}
