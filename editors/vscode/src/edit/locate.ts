/** Where a code block of an answer belongs in a document: over the definition it writes anew, by its header alone. */
import { openingOf } from "./docstring";
import { indentOf, isBlank } from "./lines";

/** Lines from `first` up to and without `end`, counted from 0. */
export interface Lines {
  readonly first: number;
  readonly end: number;
}

/** Words and a name, as in `async def f(`, `export function f(`, `class A:`, `pub fn f<`. */
const HEADER =
  /^\s*((?:[\w@]+\s+)*?(?:def|class|function|fn|func|struct|enum|interface|trait|impl|type|module|sub|object)\s+(?:\([^)]*\)\s*)?[\w.$]+)/;
const ASSIGNED = /^\s*((?:export\s+)?(?:const|let|var)\s+[\w$]+)\s*=/;
const CLOSING = /^\s*(?:[}\])]|end\b)/;

/**
 * The lines of the one definition with the header of the block's first; undefined if there is none, or several.
 * A block that ends with a docstring has no body, as small models write it: then that of the document stays.
 */
export function locate(document: readonly string[], block: readonly string[]): Lines | undefined {
  const start = block.findIndex((line) => headerOf(line) !== undefined);
  const header = headerOf(block[start] ?? "");
  if (header === undefined) return undefined;
  const places = document.flatMap((line, number) => (headerOf(line) === header ? [number] : []));
  const [first] = places;
  if (first === undefined || places.length > 1) return undefined;
  const end = lacksBody(block, start) ? openingOf(document, first).end : endOf(document, first);
  return { first: withDecorators(document, first, block), end };
}

function lacksBody(block: readonly string[], header: number): boolean {
  const { end, hasDocstring } = openingOf(block, header);
  return hasDocstring && block.slice(end).every(isBlank);
}

function headerOf(line: string): string | undefined {
  return (HEADER.exec(line) ?? ASSIGNED.exec(line))?.[1]?.replace(/\s+/g, " ");
}

/** Decorators above belong to what is replaced if the block has some of its own. */
function withDecorators(document: readonly string[], header: number, block: readonly string[]): number {
  const hasOwn = /^\s*[@#[]/.test(block.find((line) => !isBlank(line)) ?? "");
  let first = header;
  while (hasOwn && /^\s*(?:@|#\[|\[)/.test(document[first - 1] ?? "")) first--;
  return first;
}

/** The end of a definition: lines that are indented deeper, and one that closes it. */
function endOf(document: readonly string[], header: number): number {
  const depth = indentOf(document[header] ?? "").length;
  let end = header + 1;
  for (let number = end; number < document.length; number++) {
    const line = document[number] ?? "";
    if (isBlank(line)) continue;
    const closes = indentOf(line).length === depth && CLOSING.test(line);
    if (indentOf(line).length <= depth && !closes) break;
    end = number + 1;
    if (closes && !/[{(:[]\s*$/.test(line)) break;
  }
  return end;
}
