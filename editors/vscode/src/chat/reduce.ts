/** The one way the chat's state changes. Pure: the extension and the webview run it on the same events. */
import type { ChatEvent } from "./events";
import { type Attachment, type ChatState, EMPTY, type Front, type Part, type Turn } from "./state";
import type { Created, KeptTurn, ToolReport, TurnEnd, TurnReport } from "./wire";

export function reduce(state: ChatState, event: ChatEvent): ChatState {
  switch (event.kind) {
    case "opened":
      return open(state, event.conversation);
    case "cleared":
      return empty(state);
    case "renamed":
      return { ...state, title: event.title };
    case "asked":
      return ask(state, event);
    case "reported":
      return changeTurn(state, event.turnId, (turn) => report(turn, event.report));
    case "ended":
      return changeTurn(state, event.turnId, (turn) => end(turn, event.end));
    case "attached":
      return { ...state, attachments: attach(state.attachments, event.attachment) };
    case "detached":
      return { ...state, attachments: state.attachments.filter((_, index) => index !== event.index) };
    default:
      return reduceAround(state, event);
  }
}

type Around = Extract<
  ChatEvent,
  { kind: "frontChanged" | "frontToggled" | "consentAsked" | "consentAnswered" | "modelChanged" | "faulted" }
>;

/** Events of what is around the conversation. */
function reduceAround(state: ChatState, event: Around): ChatState {
  switch (event.kind) {
    case "frontChanged":
      return withFront(state, event.front);
    case "frontToggled":
      return { ...state, usesFront: !state.usesFront };
    case "consentAsked":
      return { ...state, consents: [...state.consents, event.consent] };
    case "consentAnswered":
      return { ...state, consents: state.consents.filter((consent) => consent.id !== event.id) };
    case "modelChanged":
      return { ...state, model: event.model };
    case "faulted": {
      const { fault: _, ...rest } = state;
      return event.message === undefined ? rest : { ...rest, fault: event.message };
    }
  }
}

function empty(state: ChatState): ChatState {
  const { usesFront, model, consents } = state;
  return withFront({ ...EMPTY, usesFront, model, consents }, state.front);
}

/** Show a conversation; turns that were asked before it had an id are kept in place of those of the server. */
function open(state: ChatState, conversation: Created): ChatState {
  const isSame = state.conversationId === undefined && conversation.turns.length === 0;
  const base = isSame ? state : empty(state);
  const turns = isSame ? state.turns : conversation.turns.map(restore);
  return { ...base, conversationId: conversation.conversationId, title: conversation.title || base.title, turns };
}

function restore(kept: KeptTurn): Turn {
  const { turnId: id, message: question, state, references, answer } = kept;
  const parts: readonly Part[] = answer === "" ? [] : [{ kind: "text", text: answer }];
  return { id, question, attachments: [], state, parts, references, followUps: [] };
}

/** Begin a turn with what is attached; a conversation without a title gets the question's first line. */
function ask(state: ChatState, event: Extract<ChatEvent, { kind: "asked" }>): ChatState {
  const { fault: _, ...rest } = state;
  const { turnId: id, question } = event;
  const front = event.front ?? (state.usesFront ? state.front : undefined);
  const about = { attachments: state.attachments, ...(front ? { front } : {}) };
  const turn: Turn = { id, question, ...about, state: "running", parts: [], references: [], followUps: [] };
  const turns = [...state.turns.map(withoutFollowUps), turn];
  return { ...rest, title: state.title || firstLine(question), turns, attachments: [] };
}

/** What to ask next is shown for the last turn alone. */
function withoutFollowUps(turn: Turn): Turn {
  return turn.followUps.length === 0 ? turn : { ...turn, followUps: [] };
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]?.slice(0, 80) ?? "";
}

function changeTurn(state: ChatState, id: string, change: (turn: Turn) => Turn): ChatState {
  return { ...state, turns: state.turns.map((turn) => (turn.id === id ? change(turn) : turn)) };
}

/** Add a report to a turn that still runs. */
function report(turn: Turn, { reply, references, tool, edits, notice }: TurnReport): Turn {
  if (turn.state !== "running") return turn;
  if (references) return { ...turn, references: [...turn.references, ...references] };
  if (reply) return { ...turn, parts: addText(turn.parts, reply) };
  if (tool) return { ...turn, parts: putTool(turn.parts, tool) };
  if (edits?.length) return { ...turn, parts: [...turn.parts, { kind: "edits", edits }] };
  if (notice) return { ...turn, parts: [...turn.parts, { kind: "notice", text: notice }] };
  return turn;
}

function addText(parts: readonly Part[], text: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== "text") return [...parts, { kind: "text", text }];
  return [...parts.slice(0, -1), { kind: "text", text: last.text + text }];
}

/** A tool's later report takes the place of its first, whose arguments are kept. */
function putTool(parts: readonly Part[], tool: ToolReport): readonly Part[] {
  const isKnown = parts.some((part) => part.kind === "tool" && part.tool.id === tool.id);
  if (!isKnown) return [...parts, { kind: "tool", tool }];
  return parts.map((part) =>
    part.kind === "tool" && part.tool.id === tool.id ? { kind: "tool", tool: { ...part.tool, ...tool } } : part,
  );
}

function end(turn: Turn, { state, followUps, error }: TurnEnd): Turn {
  if (turn.state !== "running") return turn;
  const parts = turn.parts.map(closeTool);
  return { ...turn, state, parts, followUps, ...(error ? { error: error.message } : {}) };
}

/** A tool cannot outlive its turn. */
function closeTool(part: Part): Part {
  const isOpen = part.kind === "tool" && part.tool.state === "running";
  return isOpen ? { kind: "tool", tool: { ...part.tool, state: "error" } } : part;
}

function attach(attachments: readonly Attachment[], added: Attachment): readonly Attachment[] {
  const isKnown = attachments.some((one) => JSON.stringify(one.params) === JSON.stringify(added.params));
  return isKnown ? attachments : [...attachments, added];
}

function withFront(state: ChatState, front: Front | undefined): ChatState {
  const { front: _, ...rest } = state;
  return front ? { ...rest, front } : rest;
}
