/** One `LanguageClient` for one server process: started once, never restarted. Loaded with the first of them. */
import type { Disposable, LogOutputChannel } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  ProgressType,
  RevealOutputChannelOn,
  ShowMessageRequest,
} from "vscode-languageclient/node";
import type { Questions } from "../chat/consent";
import type { Launched } from "./process";
import type { TraceChannel } from "./trace";
import type { LastWords } from "./words";

export interface Channels {
  readonly log: LogOutputChannel;
  readonly trace: TraceChannel;
}

export interface ClientOptions {
  readonly channels: Channels;
  readonly middleware: Middleware;
  readonly initializationOptions: () => unknown;
  readonly questions: Questions;
}

/** The supervisor tells people what happened, once; the library's own popups would say it again and with less. */
export class HeronClient extends LanguageClient {
  /** `$/progress` of one token. */
  follow(token: string, listener: (value: unknown) => void): Disposable {
    return this.onProgress(new ProgressType<unknown>(), token, listener);
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export function makeClient({ child, words }: Launched, options: ClientOptions): HeronClient {
  const client = new HeronClient("heron", "Heron", async () => child, clientOptions(options, words));
  // A function that is set before the start takes the place of the library's own, which can only show a message.
  client.onRequest(ShowMessageRequest.type, (params) => options.questions.answer(params));
  return client;
}

function clientOptions(options: ClientOptions, words: LastWords): LanguageClientOptions {
  const { channels, middleware, initializationOptions } = options;
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
      stderr: (input, channel) => forward(input, channel, words),
    },
  };
}

/** The server's log goes to the channel as it is: its lines carry time and level. */
function forward(input: NodeJS.ReadableStream, channel: LogOutputChannel, words: LastWords): void {
  input.setEncoding("utf8");
  input.on("data", (data) => {
    const text = String(data);
    words.hear(text);
    channel.append(text);
  });
}
