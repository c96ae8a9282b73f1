/** Commands of the server that are questions: they are asked in the chat, where their answers are seen. */
import { Uri, workspace } from "vscode";
import type * as lsp from "vscode-languageserver-protocol";
import { COMMANDS } from "../chat/commands";
import type { Front } from "../chat/state";

const PREFIX = "heron.";

/** What a chat command of the code action menu is given. */
interface Argument {
  readonly textDocument?: { readonly uri: string };
  readonly selection?: lsp.Range;
}

/** The name of a chat command, if it is one. */
export function chatCommand(command: string): string | undefined {
  const name = command.startsWith(PREFIX) ? command.slice(PREFIX.length) : "";
  return COMMANDS.some(([known]) => known === name) ? name : undefined;
}

/** The place a command is about; undefined where it was given none. */
export function placeOf(given: unknown): Front | undefined {
  const { textDocument, selection } = (given ?? {}) as Argument;
  if (textDocument === undefined) return undefined;
  const { uri } = textDocument;
  return { uri, path: workspace.asRelativePath(Uri.parse(uri)), ...(selection ? { range: selection } : {}) };
}
