/** The chat's conversation with the server: asked, stopped, left, taken up again. What comes of it goes to the store. */
import { randomUUID } from "node:crypto";
import { CancellationError, CancellationTokenSource, type Memento } from "vscode";
import type { HeronServer } from "../server";
import { type Front, running, type Turn } from "./state";
import type { ChatStore } from "./store";
import type { Created, TurnEnd, TurnParams, TurnProgress } from "./wire";

const KEPT = "heron.chat.conversation";
/** So long after a key the server is told of the question that is being written. */
const REST_MS = 300;

export class Conversation {
  readonly #server: HeronServer;
  readonly #store: ChatStore;
  /** Which conversation was open is remembered for when the window is opened again. */
  readonly #memory: Memento;
  #stopping: CancellationTokenSource | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #beginning: Promise<string> | undefined;

  constructor(server: HeronServer, store: ChatStore, memory: Memento) {
    this.#server = server;
    this.#store = store;
    this.#memory = memory;
  }

  /** Ask, beginning a conversation if there is none; about `front`, else about where the user is. Resolves when the turn has ended, however it did. */
  async ask(question: string, front?: Front): Promise<void> {
    if (running(this.#store.state)) return;
    const turnId = randomUUID();
    this.#store.dispatch({ kind: "asked", turnId, question, ...(front ? { front } : {}) });
    const stopping = new CancellationTokenSource();
    this.#stopping = stopping;
    try {
      await this.#take(turnId, stopping);
    } catch (error) {
      this.#end(turnId, endOf(error));
    } finally {
      stopping.dispose();
      this.#stopping = undefined;
    }
  }

  /** A question is being written: once its words rest, the model reads ahead what they come with. */
  draft(text: string): void {
    clearTimeout(this.#resting);
    if (text.trim() !== "") this.#resting = setTimeout(() => void this.#warm(text), REST_MS);
  }

  /** End the answer that is being written; what came of it stays. */
  stop(): void {
    this.#stopping?.cancel();
  }

  /** Begin anew; the server keeps the old conversation. */
  async clear(): Promise<void> {
    this.stop();
    this.#store.dispatch({ kind: "cleared" });
    await this.#memory.update(KEPT, undefined);
  }

  async resume(conversationId: string): Promise<void> {
    this.stop();
    const conversation = await this.#create({ conversationId });
    this.#store.dispatch({ kind: "cleared" });
    this.#store.dispatch({ kind: "opened", conversation });
    await this.#memory.update(KEPT, conversationId);
  }

  /** Take up what was open when the window was closed. One that is gone meanwhile is forgotten. */
  async restore(): Promise<void> {
    const kept = this.#memory.get<string>(KEPT);
    if (kept === undefined || this.#store.state.turns.length > 0) return;
    try {
      await this.resume(kept);
    } catch {
      await this.#memory.update(KEPT, undefined);
    }
  }

  async #warm(message: string): Promise<void> {
    if (running(this.#store.state)) return;
    try {
      const conversationId = this.#store.state.conversationId ?? (await this.#begin());
      const { attachments, front, usesFront } = this.#store.state;
      const about = { attachments: attachments.map(({ params }) => params), ...frontOf(usesFront ? front : undefined) };
      await this.#server.sendRequest("conversation/warm", { conversationId, message, ...about });
    } catch {
      // nothing is lost but the head start; asking will tell what is wrong
    }
  }

  async #take(turnId: string, stopping: CancellationTokenSource): Promise<void> {
    const conversationId = this.#store.state.conversationId ?? (await this.#begin());
    const turn = this.#store.state.turns.find(({ id }) => id === turnId);
    if (turn === undefined || stopping.token.isCancellationRequested) throw new CancellationError();
    const listening = this.#server.onProgress<TurnProgress>(turnId, (value) => this.#hear(turnId, value));
    try {
      const result = await this.#server.sendRequest<TurnEnd>(
        "conversation/turn",
        paramsOf(turn, conversationId),
        stopping.token,
      );
      this.#end(turnId, { ...result, kind: "end" });
    } finally {
      listening.dispose();
    }
  }

  /** Begin a conversation, once for all who wait for it. */
  #begin(): Promise<string> {
    this.#beginning ??= this.#open().finally(() => {
      this.#beginning = undefined;
    });
    return this.#beginning;
  }

  async #open(): Promise<string> {
    const conversation = await this.#create({});
    this.#store.dispatch({ kind: "opened", conversation: { ...conversation, title: "" } });
    await this.#memory.update(KEPT, conversation.conversationId);
    return conversation.conversationId;
  }

  #create(params: { readonly conversationId?: string }): Promise<Created> {
    return this.#server.sendRequest<Created>("conversation/create", params);
  }

  #hear(turnId: string, value: TurnProgress): void {
    if (value.kind === "report") this.#store.dispatch({ kind: "reported", turnId, report: value });
    if (value.kind === "end") this.#end(turnId, value);
  }

  /** The first ending a turn gets is its own; the reducer drops later ones. */
  #end(turnId: string, end: TurnEnd): void {
    this.#store.dispatch({ kind: "ended", turnId, end });
  }
}

/** The turn's id is the token of its progress. */
function paramsOf(turn: Turn, conversationId: string): TurnParams {
  const { id: workDoneToken, question: message } = turn;
  const attachments = turn.attachments.map((attachment) => attachment.params);
  return { conversationId, message, workDoneToken, attachments, ...frontOf(turn.front) };
}

function frontOf(front: Front | undefined): Pick<TurnParams, "textDocument" | "selection"> {
  if (front === undefined) return {};
  return { textDocument: { uri: front.uri }, ...(front.range ? { selection: front.range } : {}) };
}

function endOf(error: unknown): TurnEnd {
  const base = { kind: "end", followUps: [], usage: null } as const;
  if (error instanceof CancellationError) return { ...base, state: "cancelled" };
  const message = error instanceof Error ? error.message : String(error);
  return { ...base, state: "failed", error: { code: "", message } };
}
