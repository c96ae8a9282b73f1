/** Code actions on their way from the language client to the user: questions go to the chat, edits are shown first. */
import { CodeAction, type Command, workspace } from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { Chat } from "../chat/inbox";
import { askBy } from "../chat/register";
import { chatCommand, placeOf } from "./route";

export const PREVIEW = "heron.edit.preview";

type ActionMiddleware = Pick<Middleware, "executeCommand" | "provideCodeActions" | "resolveCodeAction">;

/** `chat` is asked for when a command is run: the client is made before the chat is. */
export function actionMiddleware(chat: () => Chat): ActionMiddleware {
  return {
    executeCommand: async (command, args, next) => {
      const name = chatCommand(command);
      return name === undefined ? next(command, args) : askBy(chat(), name, placeOf(args[0]));
    },
    provideCodeActions: async (document, range, context, token, next) => {
      const actions = await next(document, range, context, token);
      return isPreviewing() ? actions?.map(previewed) : actions;
    },
    resolveCodeAction: async (action, token, next) => (isPreviewed(action) ? action : next(action, token)),
  };
}

function isPreviewing(): boolean {
  return workspace.getConfiguration("heron.editor").get("previewActions", true);
}

/** An action without an edit yet gets a command, which has it written and shown, in place of being resolved. */
function previewed<T extends Command | CodeAction>(action: T): T {
  if (action instanceof CodeAction && !action.edit && !action.command && !action.disabled) {
    const { title, data } = action as CodeAction & { readonly data?: unknown };
    action.command = { command: PREVIEW, title, arguments: [{ title, data }] };
  }
  return action;
}

function isPreviewed(action: CodeAction): boolean {
  return action.command?.command === PREVIEW;
}
