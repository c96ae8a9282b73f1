/** `@heron` in VS Code's own chat: each thread there is a conversation of the server. */
import { randomUUID } from "node:crypto";
import {
  type CancellationToken,
  type ChatContext,
  type ChatFollowup,
  type ChatRequest,
  type ChatResponseStream,
  ChatResponseTurn,
  type ChatResult,
  commands,
  type Disposable,
  Location,
  window,
} from "vscode";
import { proposeOffers } from "../chat/code";
import { readFront } from "../chat/front";
import type { Created, EditOffer, TurnEnd, TurnParams, TurnProgress, TurnReport } from "../chat/wire";
import { told } from "../edit/failures";
import type { Editing } from "../edit/propose";
import type { HeronServer } from "../server";
import { readReferences } from "./references";

const REVIEW = "heron.edit.review";

export interface Asked {
  readonly request: ChatRequest;
  readonly around: ChatContext;
  readonly stream: ChatResponseStream;
  readonly token: CancellationToken;
}

/** What is kept with an answer: the next request of the thread goes on with its conversation. */
interface Kept {
  readonly conversationId: string;
  readonly followUps: readonly string[];
}

export async function answer(server: HeronServer, asked: Asked): Promise<ChatResult> {
  const conversationId = keptOf(asked.around)?.conversationId ?? (await begin(server));
  const params = paramsOf(server, asked.request, conversationId);
  const listening = server.onProgress<TurnProgress>(params.workDoneToken, (value) => {
    if (value.kind === "report") show(server, asked.stream, value);
  });
  try {
    const end = await server.sendRequest<TurnEnd>("conversation/turn", params, asked.token);
    return { metadata: { conversationId, followUps: end.followUps } satisfies Kept };
  } catch (error) {
    if (asked.token.isCancellationRequested) return { metadata: { conversationId, followUps: [] } satisfies Kept };
    return { errorDetails: { message: error instanceof Error ? error.message : String(error) } };
  } finally {
    listening.dispose();
  }
}

/** What the server proposes to ask next, its commands as VS Code's. */
export function followUpsOf(result: ChatResult): ChatFollowup[] {
  const { followUps = [] } = (result.metadata ?? {}) as Partial<Kept>;
  return followUps.map((text) => {
    const [, command, prompt] = /^\/(\w+)\s*(.*)$/s.exec(text) ?? [];
    return command === undefined ? { prompt: text } : { prompt: prompt ?? "", command, label: text };
  });
}

/** The button below edits that an answer offers. */
export function registerReview(editing: Editing): Disposable {
  return commands.registerCommand(REVIEW, (edits: readonly EditOffer[]) => told(() => proposeOffers(editing, edits)));
}

function keptOf({ history }: ChatContext): Kept | undefined {
  const answers = history.filter((turn) => turn instanceof ChatResponseTurn);
  const kept = answers.map((turn) => turn.result.metadata as Partial<Kept> | undefined);
  return kept.findLast((one): one is Kept => typeof one?.conversationId === "string");
}

async function begin(server: HeronServer): Promise<string> {
  return (await server.sendRequest<Created>("conversation/create", {})).conversationId;
}

function paramsOf(server: HeronServer, request: ChatRequest, conversationId: string): TurnParams {
  const message = request.command ? `/${request.command} ${request.prompt}`.trim() : request.prompt;
  const attachments = readReferences(server, request.references);
  const front = window.activeTextEditor && readFront(server, window.activeTextEditor);
  const place = front ? { textDocument: { uri: front.uri }, ...(front.range ? { selection: front.range } : {}) } : {};
  return { conversationId, message, workDoneToken: randomUUID(), attachments, ...place };
}

/** A report as VS Code shows it. Answers are not trusted: their Markdown has no commands and no HTML. */
function show(server: HeronServer, stream: ChatResponseStream, report: TurnReport): void {
  if (report.reply) stream.markdown(report.reply);
  if (report.notice) stream.progress(report.notice);
  if (report.tool?.state === "running") stream.progress(`${report.tool.name} ${report.tool.arguments ?? ""}`);
  for (const { uri, range } of report.references ?? []) {
    stream.reference(new Location(server.convert.toUri(uri), server.convert.toRange(range)));
  }
  if (report.edits?.length) stream.button({ command: REVIEW, title: "Review the edits", arguments: [report.edits] });
}
