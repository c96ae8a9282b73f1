/** The chat put together, with its commands. */
import { commands, type ExtensionContext, window } from "vscode";
import { told } from "../edit/failures";
import type { Editing } from "../edit/propose";
import type { HeronServer } from "../server";
import { COMMANDS } from "./commands";
import type { Questions } from "./consent";
import { ConsentDesk } from "./consent-desk";
import { Conversation } from "./conversation";
import { followFront, readFront } from "./front";
import { showHistory } from "./history";
import { act, type Chat } from "./inbox";
import type { Front } from "./state";
import { ChatStore } from "./store";
import { ChatView, VIEW } from "./view";

/** What a question is asked with, beside its words. */
export interface Asking {
  readonly server: HeronServer;
  readonly editing: Editing;
  readonly questions: Questions;
}

export function registerChat(context: ExtensionContext, asking: Asking): Chat {
  const { server, editing, questions } = asking;
  const store = new ChatStore();
  const view = new ChatView(context.extensionUri, store);
  const conversation = new Conversation(server, store, context.workspaceState);
  const consents = new ConsentDesk(store);
  const chat: Chat = { server, editing, store, view, conversation, consents };
  questions.use((consent) => (view.isVisible && consents.isExpecting ? consents.ask(consent) : undefined));
  context.subscriptions.push(
    store,
    view,
    window.registerWebviewViewProvider(VIEW, view),
    view.onDidReceive((message) => void told(() => act(chat, message))),
    ...followFront(server, store),
    ...followModel(server, store),
    ...chatCommands(chat),
  );
  return chat;
}

function followModel(server: HeronServer, store: ChatStore) {
  const tell = () => {
    const { state, model } = server;
    const known = state === "running" ? model : undefined;
    const fallback = { state: state === "running" ? "starting" : state, model: "", message: "" };
    store.dispatch({ kind: "modelChanged", model: known ?? fallback });
  };
  tell();
  return [server.onDidChangeState(tell), server.onDidChangeModel(tell)];
}

function chatCommands(chat: Chat) {
  const { conversation, view } = chat;
  const run = (command: string, act: (argument: unknown) => Promise<unknown>) =>
    commands.registerCommand(command, (argument: unknown) => told(() => act(argument)));
  return [
    run("heron.chat.show", (text) => view.focus(typeof text === "string" ? text : undefined)),
    run("heron.chat.new", async () => {
      await conversation.clear();
      await view.focus();
    }),
    run("heron.chat.history", () => showHistory(chat)),
    run("heron.chat.stop", async () => conversation.stop()),
    ...COMMANDS.map(([name]) => run(`heron.chat.${name}`, () => askBy(chat, name))),
  ];
}

/** Ask by a command about a place, else about the editor in front. */
export async function askBy({ server, conversation, view }: Chat, command: string, about?: Front): Promise<void> {
  const editor = window.activeTextEditor;
  await view.focus();
  await conversation.ask(`/${command}`, about ?? (editor && readFront(server, editor)));
}
