/** The commands of the palette and of the status bar's menu. */
import {
  CancellationError,
  ConfigurationTarget,
  commands,
  type Disposable,
  type ExtensionContext,
  env,
  ProgressLocation,
  type QuickPickItem,
  Uri,
  window,
  workspace,
} from "vscode";
import { chooseModel } from "./model";
import type { Pause } from "./pause";
import { type HeronServer, ServerFailure } from "./server";
import type { Channels } from "./server/client";
import { MISSING, requireServer, serverEnvironment } from "./server/create";
import { installServer } from "./server/install";
import { runProgram } from "./server/run";

export interface Parts {
  readonly context: ExtensionContext;
  readonly server: HeronServer;
  readonly pause: Pause;
  readonly channels: Channels;
}

export function registerCommands(parts: Parts): Disposable[] {
  const { server, pause, channels } = parts;
  const table: Readonly<Record<string, () => unknown>> = {
    menu: () => openMenu(parts),
    pause: () => pause.toggle(),
    model: () => tell(() => chooseModel(parts.context)),
    restart: () => startTelling(parts, () => server.restart()),
    stop: () => tell(() => server.stop()),
    install: () => install(parts),
    dashboard: () => tell(() => openDashboard(parts.context)),
    logs: () => channels.log.show(),
    trace: () => toggleTrace(channels),
    doctor: () => tell(() => runDoctor(parts.context)),
    settings: () => commands.executeCommand("workbench.action.openSettings", "@ext:heron.heron"),
    walkthrough: () => commands.executeCommand("workbench.action.openWalkthrough", "heron.heron#heron", false),
  };
  return Object.entries(table).map(([name, run]) => commands.registerCommand(`heron.${name}`, run));
}

/** Start the server; one that is missing can be installed from the message that says so. */
export async function startTelling(parts: Parts, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    parts.channels.log.error(String(error));
    void offerHelp(error);
  }
}

/** A message is not waited for: it stays until somebody reads it. */
async function offerHelp(error: unknown): Promise<void> {
  const isMissing = error instanceof ServerFailure && error.reason === MISSING;
  const help: Readonly<Record<string, string>> = isMissing
    ? { Install: "heron.install", "Open Settings": "heron.settings" }
    : { Restart: "heron.restart", "Show Log": "heron.logs" };
  const chosen = await window.showErrorMessage(`Heron: ${messageOf(error)}`, ...Object.keys(help));
  const command = help[chosen ?? ""];
  if (command) await commands.executeCommand(command);
}

async function install(parts: Parts): Promise<void> {
  await tell(async () => {
    await installServer(parts.context, parts.channels.log);
    const setting = workspace.getConfiguration("heron.server");
    // A path in the settings would go before what was installed; the server is started anew when it changes.
    if (setting.get("path", "") !== "") await setting.update("path", "", ConfigurationTarget.Global);
    else await startTelling(parts, () => parts.server.restart());
  });
}

/** Run, and say what went wrong if anything did. */
async function tell(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof CancellationError)) void window.showErrorMessage(`Heron: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface MenuItem extends QuickPickItem {
  readonly command: string;
}

async function openMenu({ server, pause }: Parts): Promise<void> {
  const items: MenuItem[] = [
    pause.isOn
      ? { label: "$(play) Resume completions", command: "pause" }
      : { label: "$(debug-pause) Pause completions", command: "pause" },
    { label: "$(chip) Choose model…", description: server.model?.model ?? "", command: "model" },
    { label: "$(debug-restart) Restart the server", description: server.state, command: "restart" },
    { label: "$(dashboard) Open the dashboard", description: "speed, memory, requests", command: "dashboard" },
    { label: "$(output) Show the log", command: "logs" },
    { label: "$(pulse) Run the doctor", description: "what is installed, what is wrong", command: "doctor" },
    { label: "$(gear) Settings", command: "settings" },
  ];
  const { model, state } = server;
  const placeHolder = model?.message || (model ? `${model.model}, ${model.state}` : `The server: ${state}`);
  const chosen = await window.showQuickPick(items, { title: "Heron", placeHolder });
  if (chosen) await commands.executeCommand(`heron.${chosen.command}`);
}

/** Turn the trace on and show it, or off. */
function toggleTrace({ trace }: Channels): void {
  if (trace.toggle()) trace.show();
  else void window.showInformationMessage("Heron: messages to the server are no longer traced.");
}

/** The page that `heron dashboard` would open, in the browser of whoever sits here. */
async function openDashboard(context: ExtensionContext): Promise<void> {
  const lines = await runHeron(context, ["dashboard", "--print"], "the dashboard opens");
  const address = lines.findLast((line) => /^https?:/.test(line));
  if (!address) throw new Error(lines.at(-1) ?? "heron dashboard printed no address.");
  await env.openExternal(Uri.parse(address, true));
}

/** `heron doctor` into a document of its own. */
async function runDoctor(context: ExtensionContext): Promise<void> {
  const lines = await runHeron(context, ["doctor"], "the doctor looks");
  const document = await workspace.openTextDocument({ content: `${lines.join("\n")}\n`, language: "log" });
  await window.showTextDocument(document, { preview: true });
}

/** The lines that the server's program prints, with a word in the status bar while it runs. */
async function runHeron(context: ExtensionContext, args: readonly string[], title: string): Promise<string[]> {
  const command = await requireServer(context);
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath;
  const lines: string[] = [];
  await window.withProgress({ location: ProgressLocation.Window, title: `Heron: ${title}` }, () =>
    runProgram({ command, args, environment: serverEnvironment(), folder }, (line) => lines.push(line)),
  );
  return lines;
}
