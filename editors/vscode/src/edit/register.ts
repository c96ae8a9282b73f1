/** Edits by instruction, and deciding on what is shown as a diff. */
import { commands, type ExtensionContext } from "vscode";
import type { HeronServer } from "../server";
import { told } from "./failures";
import { instruct } from "./instruct";
import { Previews } from "./preview";
import type { Editing } from "./propose";

/** What others need to show changes. */
export function registerEdit(context: ExtensionContext, server: HeronServer): Editing {
  const previews = new Previews();
  const editing: Editing = { server, previews };
  context.subscriptions.push(
    previews,
    commands.registerCommand("heron.edit.instruct", (instruction?: unknown) =>
      told(() => instruct(editing, typeof instruction === "string" ? instruction : undefined)),
    ),
  );
  return editing;
}
