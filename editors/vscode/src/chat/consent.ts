/** The server's questions to the user: consent to a tool is asked for in the chat if it can be seen, else by a message. */
import { randomUUID } from "node:crypto";
import { window } from "vscode";
import type { MessageActionItem, ShowMessageRequestParams } from "vscode-languageserver-protocol";
import type { Consent } from "./state";

/** Shows a question where the user sees it; undefined where that is not possible now. */
export type AskInChat = (consent: Consent) => Promise<string | undefined> | undefined;

/** What the language client is given before the chat is there. */
export class Questions {
  #ask: AskInChat = () => undefined;

  /** Ask here first from now on. */
  use(ask: AskInChat): void {
    this.#ask = ask;
  }

  /** The answer to `window/showMessageRequest`, null for none. LSP 3.18 "ShowMessage Request". */
  async answer(params: ShowMessageRequestParams): Promise<MessageActionItem | null> {
    const choices = (params.actions ?? []).map(({ title }) => title);
    const isConsent = choices.includes("Allow once");
    const asked = isConsent ? this.#ask({ id: randomUUID(), text: params.message, choices }) : undefined;
    const chosen = await (asked ?? showMessage(params, choices));
    return chosen === undefined ? null : { title: chosen };
  }
}

function showMessage(
  { type, message }: ShowMessageRequestParams,
  choices: readonly string[],
): Thenable<string | undefined> {
  const show =
    type === 1 ? window.showErrorMessage : type === 2 ? window.showWarningMessage : window.showInformationMessage;
  return show(message, ...choices);
}
