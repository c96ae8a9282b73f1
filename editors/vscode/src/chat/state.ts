/** What the chat shows, as plain data: the extension and the webview hold the same and change it by `reduce` alone. */
import type * as lsp from "vscode-languageserver-protocol";
import type { AttachmentParams, EditOffer, Reference, ToolReport, TurnState } from "./wire";

/** Something a question is about, with the words it is shown by. */
export interface Attachment {
  readonly label: string;
  readonly params: AttachmentParams;
}

/** The document the user is in; `range` is what is selected there. */
export interface Front {
  readonly uri: string;
  readonly path: string;
  readonly range?: lsp.Range;
}

/** A piece of an answer, in the order they came. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool"; readonly tool: ToolReport }
  | { readonly kind: "edits"; readonly edits: readonly EditOffer[] }
  | { readonly kind: "notice"; readonly text: string };

/** `id` is the chat's own. `front` is what the user was in when the question was asked. */
export interface Turn {
  readonly id: string;
  readonly question: string;
  readonly attachments: readonly Attachment[];
  readonly front?: Front;
  readonly state: TurnState;
  readonly parts: readonly Part[];
  readonly references: readonly Reference[];
  readonly followUps: readonly string[];
  readonly error?: string;
}

/** A question of the server for the user's consent. */
export interface Consent {
  readonly id: string;
  readonly text: string;
  readonly choices: readonly string[];
}

export interface ModelState {
  readonly state: string;
  readonly model: string;
  readonly message: string;
}

export interface ChatState {
  readonly conversationId?: string;
  readonly title: string;
  readonly turns: readonly Turn[];
  readonly attachments: readonly Attachment[];
  readonly front?: Front;
  /** Whether `front` goes with the next question. */
  readonly usesFront: boolean;
  readonly consents: readonly Consent[];
  readonly model: ModelState;
  readonly fault?: string;
}

export const EMPTY: ChatState = {
  title: "",
  turns: [],
  attachments: [],
  usesFront: true,
  consents: [],
  model: { state: "starting", model: "", message: "" },
};

/** The turn that is being answered, if any. */
export function running(state: ChatState): Turn | undefined {
  return state.turns.find((turn) => turn.state === "running");
}

/** The text of an answer, without what happened in between. */
export function answerText(turn: Turn): string {
  return turn.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}
