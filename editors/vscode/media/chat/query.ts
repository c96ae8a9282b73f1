/** What is being written in the composer that something can be chosen for: a command, or what to attach. */

/** `start` is where the text that a choice replaces begins; it ends at the cursor. */
export interface Query {
  readonly kind: "command" | "attachment";
  readonly text: string;
  readonly start: number;
}

const COMMAND = /^\s*\/(\w*)$/;
const ATTACHMENT = /(?:^|\s)#([^\s#]*)$/;

/** The query that ends at the cursor, if there is one. */
export function queryAt(text: string, cursor: number): Query | undefined {
  const before = text.slice(0, cursor);
  const command = COMMAND.exec(before)?.[1];
  if (command !== undefined) return { kind: "command", text: command, start: cursor - command.length - 1 };
  const attachment = ATTACHMENT.exec(before)?.[1];
  if (attachment === undefined) return undefined;
  return { kind: "attachment", text: attachment, start: cursor - attachment.length - 1 };
}

/** The text with a query replaced, and where the cursor goes. */
export function replaceQuery(text: string, cursor: number, query: Query, by: string): { text: string; cursor: number } {
  return { text: text.slice(0, query.start) + by + text.slice(cursor), cursor: query.start + by.length };
}
