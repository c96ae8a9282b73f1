/** The server's model as one of VS Code's: for its own chat, and for extensions that ask `vscode.lm`. */
import { randomUUID } from "node:crypto";
import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  type LanguageModelChatInformation,
  type LanguageModelChatProvider,
  type LanguageModelChatRequestMessage,
  LanguageModelChatToolMode,
  type LanguageModelResponsePart,
  LanguageModelTextPart,
  LanguageModelToolCallPart,
  type Progress,
  type ProvideLanguageModelChatResponseOptions,
} from "vscode";
import type { HeronServer } from "../server";
import { countTokens, textOf, writeMessages } from "./messages";

interface ModelInfo {
  readonly id: string;
  readonly contextWindow: number;
  readonly supportsChat: boolean;
  readonly supportsTools: boolean;
}

interface Answer {
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
}

/** Of the window, what an answer may take at most. */
const ANSWER_SHARE = 0.25;
/** The server takes no longer lists. */
const MAX_TOOLS = 64;

export class LocalModel implements LanguageModelChatProvider, Disposable {
  readonly #server: HeronServer;
  readonly #changed = new EventEmitter<void>();
  readonly #listening: Disposable;

  readonly onDidChangeLanguageModelChatInformation = this.#changed.event;

  constructor(server: HeronServer) {
    this.#server = server;
    this.#listening = server.onDidChangeModel(() => this.#changed.fire());
  }

  dispose(): void {
    this.#listening.dispose();
    this.#changed.dispose();
  }

  /** Nothing while the model is still coming: the event tells when it is there. */
  async provideLanguageModelChatInformation(
    _options: unknown,
    token: CancellationToken,
  ): Promise<LanguageModelChatInformation[]> {
    if (this.#server.model?.state !== "ready") return [];
    const model = await this.#server.sendRequest<ModelInfo>("heron/model", {}, token);
    return model.supportsChat ? [describe(model)] : [];
  }

  async provideLanguageModelChatResponse(
    model: LanguageModelChatInformation,
    messages: readonly LanguageModelChatRequestMessage[],
    options: ProvideLanguageModelChatResponseOptions,
    progress: Progress<LanguageModelResponsePart>,
    token: CancellationToken,
  ): Promise<void> {
    const workDoneToken = randomUUID();
    const listening = this.#server.onProgress<{ delta: string }>(workDoneToken, ({ delta }) =>
      progress.report(new LanguageModelTextPart(delta)),
    );
    const params = { messages: writeMessages(messages), workDoneToken, maxTokens: model.maxOutputTokens };
    try {
      const answer = await this.#server.sendRequest<Answer>("heron/chat", { ...params, ...toolsOf(options) }, token);
      for (const call of answer.toolCalls) progress.report(readCall(call));
    } finally {
      listening.dispose();
    }
  }

  async provideTokenCount(_: unknown, text: string | LanguageModelChatRequestMessage): Promise<number> {
    return countTokens(typeof text === "string" ? text : textOf(text.content));
  }
}

function describe({ id, contextWindow, supportsTools }: ModelInfo): LanguageModelChatInformation {
  const maxOutputTokens = Math.floor(contextWindow * ANSWER_SHARE);
  return {
    id,
    name: id,
    family: id.replace(/-\d.*$/, ""),
    version: "1",
    detail: "Heron, on this machine",
    tooltip: `${id}, run by Heron on this machine`,
    maxInputTokens: contextWindow - maxOutputTokens,
    maxOutputTokens,
    capabilities: { toolCalling: supportsTools && MAX_TOOLS, imageInput: false },
  };
}

function toolsOf({ tools, toolMode }: ProvideLanguageModelChatResponseOptions): Record<string, unknown> {
  if (tools === undefined || tools.length === 0) return {};
  const toolChoice = toolMode === LanguageModelChatToolMode.Required ? "required" : "auto";
  const plain = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    parameters: inputSchema ?? {},
  }));
  return { tools: plain, toolChoice };
}

function readCall({ id, name, arguments: text }: Answer["toolCalls"][number]): LanguageModelToolCallPart {
  return new LanguageModelToolCallPart(id, name, readObject(text));
}

/** Arguments that are no JSON object are told as none: the tool itself says what it lacks. */
function readObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
