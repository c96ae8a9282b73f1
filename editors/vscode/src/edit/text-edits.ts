/** A text after LSP's edits. Positions count UTF-16 units, as strings of JavaScript do. */
import type * as lsp from "vscode-languageserver-protocol";

/** Edits mean the text before all of them and must not overlap; those of one place are made in their order. */
export function applyEdits(text: string, edits: readonly lsp.TextEdit[]): string {
  const starts = lineStarts(text);
  const at = (place: lsp.Position) => offsetAt(text, starts, place);
  const placed = edits.map((edit) => ({ from: at(edit.range.start), to: at(edit.range.end), text: edit.newText }));
  const sorted = placed.toSorted((a, b) => a.from - b.from || a.to - b.to);
  let after = "";
  let end = 0;
  for (const edit of sorted) {
    if (edit.from < end) throw new Error("The edits overlap.");
    after += text.slice(end, edit.from) + edit.text;
    end = edit.to;
  }
  return after + text.slice(end);
}

/** Where lines begin; LSP 3.18 "Position": they end with \n, \r\n or \r. */
function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((mark) => mark.index + mark[0].length)];
}

/** A character beyond the end of its line is that end, a line beyond the last one the end of the text. */
function offsetAt(text: string, starts: readonly number[], { line, character }: lsp.Position): number {
  const start = starts[line];
  if (start === undefined) return text.length;
  const next = starts[line + 1];
  const end = next === undefined ? text.length : start + text.slice(start, next).replace(/[\r\n]+$/, "").length;
  return Math.min(start + character, end);
}
