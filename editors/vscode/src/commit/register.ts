/** A commit message from the changes, into the box of Source Control. */
import { commands, type ExtensionContext, ProgressLocation, Uri, window, workspace } from "vscode";
import { told } from "../edit/failures";
import type { HeronServer } from "../server";
import { type Repository, repositories } from "./git";

export function registerCommit(context: ExtensionContext, server: HeronServer): void {
  const write = (source: unknown) => told(() => writeMessage(server, source));
  context.subscriptions.push(commands.registerCommand("heron.commit.write", write));
}

async function writeMessage(server: HeronServer, source: unknown): Promise<void> {
  const repository = choose(await repositories(), source);
  if (repository === undefined) throw new Error("There is no Git repository open.");
  const options = { location: ProgressLocation.SourceControl };
  const { message } = await window.withProgress(options, () =>
    server.sendRequest<{ readonly message: string }>("heron/commitMessage", {}),
  );
  const written = repository.inputBox.value.trim();
  repository.inputBox.value = written === "" ? message : `${message}\n\n${written}`;
}

/** That of the button that was pressed, else that of the first folder, which the server reads. */
function choose(found: readonly Repository[], source: unknown): Repository | undefined {
  const root = rootOf(source) ?? workspace.workspaceFolders?.[0]?.uri;
  return found.find(({ rootUri }) => rootUri.toString() === root?.toString()) ?? found[0];
}

/** The menu of Source Control passes its `SourceControl`. */
function rootOf(source: unknown): Uri | undefined {
  const root = (source as { readonly rootUri?: unknown } | undefined)?.rootUri;
  return root instanceof Uri ? root : undefined;
}
