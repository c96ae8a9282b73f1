/** The conversations of the workspace: one is opened, renamed or deleted. */
import { type QuickInputButton, type QuickPickItem, ThemeIcon, window } from "vscode";
import type { HeronServer } from "../server";
import type { Conversation } from "./conversation";
import type { ChatStore } from "./store";
import type { Listed } from "./wire";

const LIMIT = 200;
const RENAME: QuickInputButton = { iconPath: new ThemeIcon("edit"), tooltip: "Rename" };
const DELETE: QuickInputButton = { iconPath: new ThemeIcon("trash"), tooltip: "Delete" };

interface Item extends QuickPickItem {
  readonly listed: Listed;
}

export interface HistoryParts {
  readonly server: HeronServer;
  readonly store: ChatStore;
  readonly conversation: Conversation;
}

export async function showHistory(parts: HistoryParts): Promise<void> {
  const chosen = await chooseListed(await list(parts));
  if (chosen === undefined) return;
  const { listed, button } = chosen;
  if (button === RENAME) await rename(parts, listed);
  else if (button === DELETE) await remove(parts, listed);
  else await parts.conversation.resume(listed.conversationId);
  if (button !== undefined) await showHistory(parts);
}

async function list({ server }: HistoryParts): Promise<readonly Listed[]> {
  const params = { limit: LIMIT };
  const { conversations } = await server.sendRequest<{ conversations: readonly Listed[] }>("conversation/list", params);
  return conversations;
}

interface Chosen {
  readonly listed: Listed;
  readonly button: QuickInputButton | undefined;
}

function chooseListed(conversations: readonly Listed[]): Promise<Chosen | undefined> {
  const pick = window.createQuickPick<Item>();
  pick.title = "Heron: Conversations";
  pick.placeholder = conversations.length === 0 ? "There are none yet in this workspace." : "Open a conversation";
  pick.matchOnDescription = true;
  pick.items = conversations.map(viewListed);
  return new Promise((resolve) => {
    pick.onDidTriggerItemButton(({ item, button }) => {
      resolve({ listed: item.listed, button });
      pick.hide();
    });
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      resolve(item && { listed: item.listed, button: undefined });
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

function viewListed(listed: Listed): Item {
  const turns = listed.numTurns === 1 ? "1 question" : `${listed.numTurns} questions`;
  const description = `${turns}, ${new Date(listed.updatedAt * 1000).toLocaleString()}`;
  return { label: listed.title, description, buttons: [RENAME, DELETE], listed };
}

async function rename({ server, store }: HistoryParts, listed: Listed): Promise<void> {
  const title = await window.showInputBox({ title: "Heron: Rename the conversation", value: listed.title });
  if (title === undefined || title.trim() === "") return;
  await server.sendRequest("conversation/rename", { conversationId: listed.conversationId, title });
  if (store.state.conversationId === listed.conversationId) store.dispatch({ kind: "renamed", title });
}

async function remove({ server, store, conversation }: HistoryParts, listed: Listed): Promise<void> {
  const detail = "It cannot be brought back.";
  const answer = await window.showWarningMessage(`Delete “${listed.title}”?`, { modal: true, detail }, "Delete");
  if (answer !== "Delete") return;
  if (store.state.conversationId === listed.conversationId) await conversation.clear();
  await server.sendRequest("conversation/delete", { conversationId: listed.conversationId });
}
