/** The server of this window: where its program is, how it is spoken to, and who is told when it fails. */
import { commands, type ExtensionContext, Uri, window, workspace } from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { Questions } from "../chat/consent";
import { ServerFailure } from "../server";
import type { Settings } from "../settings";
import { Backoff } from "./backoff";
import type { Channels, HeronClient } from "./client";
import { findServer, type Places } from "./find";
import { type Launched, launch } from "./process";
import { type Environment, Supervisor } from "./supervisor";

export interface ServerParts {
  readonly channels: Channels;
  readonly middleware: () => Middleware;
  readonly settings: () => Settings;
  readonly questions: Questions;
}

/** `reason` of the failure that means there is no program to start. */
export const MISSING = "server_missing";

export function createServer(context: ExtensionContext, parts: ServerParts): Supervisor {
  return new Supervisor(surroundServer(context, parts));
}

/** What the server is started with and in. */
export function surroundServer(context: ExtensionContext, parts: ServerParts): Environment {
  const { log } = parts.channels;
  return {
    backoff: new Backoff(),
    launch: () => launchFound(context, parts.channels),
    makeClient: (launched) => makeClient(launched, parts),
    log: (message) => log.info(message),
    giveUp: (message) => void tellCrash(message, parts.channels),
  };
}

/** Where "Heron: Install Server" puts its environment. */
export function ownEnvironment(context: ExtensionContext): string {
  return Uri.joinPath(context.globalStorageUri, "server").fsPath;
}

/** The program `heron` that is, or would be, started. Fails with what to do where there is none. */
export async function requireServer(context: ExtensionContext): Promise<string> {
  const places = placesOf(context);
  const command = await findServer(places);
  if (command) return command;
  const message = places.configured
    ? `The setting heron.server.path names ${places.configured}, which is not a program that can be run.`
    : "The program heron is neither in the workspace's environment nor on PATH.";
  throw new ServerFailure(message, undefined, MISSING);
}

/** The environment variables of the server and of what else is run with its program. */
export function serverEnvironment(): Record<string, string> {
  return workspace.getConfiguration("heron.server").get<Record<string, string>>("environment", {});
}

/** The language client is most of what the bundle holds, and no part of activating needs it: it is loaded now. */
async function makeClient(launched: Launched, parts: ServerParts): Promise<HeronClient> {
  const client = await import("./client");
  const { channels, questions } = parts;
  const options = { channels, questions, middleware: parts.middleware(), initializationOptions: parts.settings };
  return client.makeClient(launched, options);
}

async function launchFound(context: ExtensionContext, { log }: Channels): Promise<Launched> {
  const command = await requireServer(context);
  log.info(`Starting ${command} lsp`);
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath;
  return launch({ command, folder, environment: serverEnvironment() });
}

function placesOf(context: ExtensionContext): Places {
  const folders = workspace.isTrusted ? (workspace.workspaceFolders ?? []) : [];
  return {
    configured: workspace.getConfiguration("heron.server").get("path", ""),
    folders: folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath),
    path: process.env["PATH"] ?? "",
    ownEnvironment: ownEnvironment(context),
  };
}

async function tellCrash(message: string, { log }: Channels): Promise<void> {
  log.error(message);
  const chosen = await window.showErrorMessage(message, "Restart", "Show Log");
  if (chosen === "Restart") await commands.executeCommand("heron.restart");
  if (chosen === "Show Log") log.show();
}
