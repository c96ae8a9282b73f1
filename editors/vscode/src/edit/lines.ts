/** Lines of code: their indentation, and giving a piece that of the place it goes to. */

export function splitLines(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/);
}

export function isBlank(line: string): boolean {
  return line.trim() === "";
}

/** The white space a line begins with. */
export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** The indentation all lines share that are not blank. */
export function commonIndent(lines: readonly string[]): string {
  const indents = lines.filter((line) => !isBlank(line)).map(indentOf);
  const [first = "", ...rest] = indents;
  return rest.reduce(sharedPrefix, first);
}

/** The lines with their common indentation replaced by another. Blank lines become empty. */
export function reindent(lines: readonly string[], indent: string): readonly string[] {
  const old = commonIndent(lines).length;
  return lines.map((line) => (isBlank(line) ? "" : indent + line.slice(old)));
}

function sharedPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
