/** Python's docstrings: a string below the header of a definition. */
import { isBlank } from "./lines";

const OPEN = /^\s*[rRuU]?("""|''')/;
const HEADER_END = /:\s*(?:#.*)?$/;

/** What stands above the body of a definition; `end` is the line below it. */
export interface Opening {
  readonly end: number;
  readonly hasDocstring: boolean;
}

/** The header of a definition, which may take several lines, and its docstring if it has one. */
export function openingOf(lines: readonly string[], header: number): Opening {
  const headerEnd = findFrom(lines, header, (line) => HEADER_END.test(line));
  const first = findFrom(lines, headerEnd + 1, (line) => !isBlank(line));
  const open = OPEN.exec(lines[first] ?? "");
  const mark = open?.[1];
  if (open === null || mark === undefined) return { end: headerEnd + 1, hasDocstring: false };
  const isClosed = (lines[first] ?? "").slice(open[0].length).includes(mark);
  const last = isClosed ? first : findFrom(lines, first + 1, (line) => line.includes(mark));
  return { end: last + 1, hasDocstring: true };
}

/** The first line from a place on of which something holds; the number of lines where there is none. */
function findFrom(lines: readonly string[], start: number, holds: (line: string) => boolean): number {
  const found = lines.slice(start).findIndex(holds);
  return found < 0 ? lines.length : start + found;
}
