/** What becomes of each message of the chat's page. */
import { commands } from "vscode";
import type { Editing } from "../edit/propose";
import type { HeronServer } from "../server";
import { chooseAttachment, suggest } from "./attachments";
import { proposeOffers, useCode } from "./code";
import type { ConsentDesk } from "./consent-desk";
import type { Conversation } from "./conversation";
import type { FromView } from "./messages";
import { openLink, openPlace } from "./places";
import type { ChatStore } from "./store";
import type { ChatView } from "./view";

export interface Chat {
  readonly server: HeronServer;
  readonly editing: Editing;
  readonly store: ChatStore;
  readonly view: ChatView;
  readonly conversation: Conversation;
  readonly consents: ConsentDesk;
}

type Kind = FromView["kind"];
type Act<K extends Kind> = (chat: Chat, message: Extract<FromView, { kind: K }>) => unknown;

const ACTS: { readonly [K in Kind]: Act<K> } = {
  ready: ({ conversation }) => conversation.restore(),
  ask: ({ conversation }, { text }) => conversation.ask(text),
  draft: ({ conversation }, { text }) => conversation.draft(text),
  stop: ({ conversation }) => conversation.stop(),
  clear: ({ conversation }) => conversation.clear(),
  history: () => commands.executeCommand("heron.chat.history"),
  chooseModel: () => commands.executeCommand("heron.model"),
  chooseAttachment: (chat) => attachChosen(chat),
  attach: ({ store }, { attachment }) => store.dispatch({ kind: "attached", attachment }),
  detach: ({ store }, { index }) => store.dispatch({ kind: "detached", index }),
  toggleFront: ({ store }) => store.dispatch({ kind: "frontToggled" }),
  suggest: (chat, { query }) => tellSuggestions(chat, query),
  open: ({ server }, { uri, range }) => openPlace(server.convert.toUri(uri), server.convert.toRange(range)),
  link: (_, { href }) => openLink(href),
  code: ({ editing, store }, { action, text, turnId }) =>
    useCode(
      editing,
      action,
      text,
      store.state.turns.find((turn) => turn.id === turnId),
    ),
  review: (chat, { turnId, part }) => review(chat, turnId, part),
  consent: ({ consents }, { id, choice }) => consents.answer(id, choice),
};

export async function act(chat: Chat, message: FromView): Promise<void> {
  const run = ACTS[message.kind] as Act<Kind>;
  await run(chat, message);
}

async function attachChosen({ server, store, view }: Chat): Promise<void> {
  const attachment = await chooseAttachment(server);
  if (attachment) store.dispatch({ kind: "attached", attachment });
  await view.focus();
}

async function tellSuggestions({ server, view }: Chat, query: string): Promise<void> {
  view.tell({ kind: "suggestions", query, items: await suggest(server, query) });
}

/** Show the edits that a turn offers, of one file after the other. */
async function review({ editing, store }: Chat, turnId: string, index: number): Promise<void> {
  const part = store.state.turns.find((turn) => turn.id === turnId)?.parts[index];
  if (part?.kind === "edits") await proposeOffers(editing, part.edits);
}
