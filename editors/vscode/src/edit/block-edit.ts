/** A block of code put over lines of a document, with the indentation of what it replaces. */
import type * as lsp from "vscode-languageserver-protocol";
import { indentOf, isBlank, reindent } from "./lines";
import type { Lines } from "./locate";

/** The edit that puts the block over the lines; before `first`, where `end` is no more than that. */
export function blockEdit(document: readonly string[], place: Lines, block: readonly string[]): lsp.TextEdit {
  const old = document.slice(place.first, place.end).find((line) => !isBlank(line));
  const text = (old === undefined ? block : reindent(block, indentOf(old))).join("\n");
  const isAfterEnd = place.first >= document.length && document.at(-1) !== "";
  const isBeforeLine = place.end < document.length || (place.first >= document.length && !isAfterEnd);
  const range = { start: startOf(document, place.first), end: startOf(document, place.end) };
  return { range, newText: (isAfterEnd ? "\n" : "") + text + (isBeforeLine ? "\n" : "") };
}

/** The beginning of a line; of one beyond the last the end of the text. */
function startOf(document: readonly string[], line: number): lsp.Position {
  if (line < document.length) return { line, character: 0 };
  return { line: document.length - 1, character: document.at(-1)?.length ?? 0 };
}

/** The code as it is inserted behind `before` in a line: with the indentation there, if nothing else is before it. */
export function insertedAt(before: string, code: readonly string[]): string {
  if (!isBlank(before)) return code.join("\n");
  const [first = "", ...rest] = reindent(code, before);
  return [first.slice(before.length), ...rest].join("\n");
}
