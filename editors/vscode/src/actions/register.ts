/** Commands of code actions: preview of one from the menu, and writing tests. */
import { commands, type ExtensionContext, window } from "vscode";
import type { Chat } from "../chat/inbox";
import { askBy } from "../chat/register";
import { told } from "../edit/failures";
import { PREVIEW } from "./middleware";
import { type Offered, preview, runNamed } from "./run";

export function registerActions(context: ExtensionContext, chat: Chat): void {
  context.subscriptions.push(
    commands.registerCommand(PREVIEW, (action: Offered) => told(() => preview(chat.editing, action))),
    commands.registerCommand("heron.edit.tests", () => told(() => writeTests(chat))),
  );
}

/** Into the test file of the project where the server knows it, else as an answer in the chat. */
async function writeTests(chat: Chat): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) throw new Error("Open the file to write tests for first.");
  const made = await runNamed(chat.editing, editor, "tests");
  if (made === undefined) await askBy(chat, "tests");
}
