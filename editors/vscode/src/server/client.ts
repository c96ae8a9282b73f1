/** One `LanguageClient` for one server process: started once, never restarted. */
import type { ChildProcess } from "node:child_process";
import type { LogOutputChannel } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
  ShowMessageRequest,
} from "vscode-languageclient/node";
import type { Questions } from "../chat/consent";

export interface Channels {
  readonly log: LogOutputChannel;
  readonly trace: LogOutputChannel;
}

export interface ClientOptions {
  readonly channels: Channels;
  readonly middleware: Middleware;
  readonly initializationOptions: () => unknown;
  readonly questions: Questions;
}

/** The supervisor tells people what happened, once; the library's own popups would say it again and with less. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export function makeClient(child: ChildProcess, options: ClientOptions): LanguageClient {
  const client = new QuietClient("heron", "Heron", async () => child, clientOptions(options));
  // A function that is set before the start takes the place of the library's own, which can only show a message.
  client.onRequest(ShowMessageRequest.type, (params) => options.questions.answer(params));
  return client;
}

function clientOptions({ channels, middleware, initializationOptions }: ClientOptions): LanguageClientOptions {
  return {
    documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
    outputChannel: channels.log,
    traceOutputChannel: channels.trace,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
    },
    middleware,
    stdioOptions: {
      stdout: () => undefined,
      stderr: (input, channel) => forward(input, channel),
    },
  };
}

/** The server's log goes to the channel as it is: its lines carry time and level. */
function forward(input: NodeJS.ReadableStream, channel: LogOutputChannel): void {
  input.setEncoding("utf8");
  input.on("data", (text) => channel.append(String(text)));
}
