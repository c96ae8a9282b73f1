import { type ExtensionContext, window, workspace } from "vscode";
import { actionMiddleware } from "./actions/middleware";
import { registerActions } from "./actions/register";
import { Questions } from "./chat/consent";
import { registerChat } from "./chat/register";
import { type Parts, registerCommands, startTelling } from "./commands";
import { registerCommit } from "./commit/register";
import { Completion } from "./completion";
import { tellCursor } from "./cursor";
import { tellDiagnostics } from "./diagnostics";
import { registerEdit } from "./edit/register";
import { registerParticipant } from "./participant/register";
import { Pause } from "./pause";
import type { Channels } from "./server/client";
import { createServer } from "./server/create";
import { TraceChannel } from "./server/trace";
import { readSettings, type Settings, serverSettings } from "./settings";
import { Status } from "./status";

/** Settings that a server is started with. */
const STARTED_WITH: readonly string[] = ["heron.server.path", "heron.server.environment"];

/** Put the parts together; the server starts in the background. */
export function activate(context: ExtensionContext): Parts {
  const channels = openChannels();
  const pause = new Pause();
  const names = serverSettings(context);
  const settings = () => withPause(readSettings(names), pause.isOn);
  const middleware = () => ({ ...completion.middleware, ...actionMiddleware(() => chat) });
  const questions = new Questions();
  const server = createServer(context, { channels, middleware, settings, questions });
  const completion = new Completion(server);
  const parts: Parts = { context, server, pause, channels };
  const tellSettings = () => void server.sendNotification("workspace/didChangeConfiguration", { settings: settings() });
  context.subscriptions.push(
    ...Object.values(channels),
    server,
    pause,
    completion,
    new Status(server, pause),
    pause.onDidChange(tellSettings),
    ...registerCommands(parts),
    ...tellDiagnostics(server),
    ...tellCursor(server),
    workspace.onDidChangeConfiguration((event) => {
      if (STARTED_WITH.some((name) => event.affectsConfiguration(name)))
        void startTelling(parts, () => server.restart());
      else if (event.affectsConfiguration("heron")) tellSettings();
    }),
  );
  const editing = registerEdit(context, server);
  const chat = registerChat(context, { server, editing, questions });
  registerActions(context, chat);
  registerCommit(context, server);
  registerParticipant(context, editing);
  void startTelling(parts, () => server.start());
  return parts;
}

function openChannels(): Channels {
  const log = window.createOutputChannel("Heron", { log: true });
  return { log, trace: new TraceChannel() };
}

function withPause(settings: Settings, isPaused: boolean): Settings {
  return isPaused ? { ...settings, completion: { ...settings["completion"], enabled: false } } : settings;
}
