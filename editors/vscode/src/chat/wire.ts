/** What `conversation/*` of the server holds; server/heron/editor/lsp/PROTOCOL.md shows it. */
import type * as lsp from "vscode-languageserver-protocol";

export interface Reference {
  readonly path: string;
  readonly uri: string;
  readonly range: lsp.Range;
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/** An edit the model offers; nothing is written by it. */
export interface EditOffer {
  readonly textDocument: { readonly uri: string; readonly version: number };
  readonly range: lsp.Range;
  readonly newText: string;
}

export interface ToolReport {
  readonly id: string;
  readonly name: string;
  readonly state: "running" | "ok" | "error" | "refused";
  readonly arguments?: string;
  readonly result?: string;
}

export type TurnState = "running" | "complete" | "cancelled" | "failed" | "interrupted";

export interface Listed {
  readonly conversationId: string;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly numTurns: number;
}

export interface KeptTurn {
  readonly turnId: string;
  readonly message: string;
  readonly answer: string;
  readonly state: TurnState;
  readonly references: readonly Reference[];
}

export interface Created extends Listed {
  readonly turns: readonly KeptTurn[];
}

/** A report has one of the members. */
export interface TurnReport {
  readonly kind: "report";
  readonly reply?: string;
  readonly references?: readonly Reference[];
  readonly tool?: ToolReport;
  readonly edits?: readonly EditOffer[];
  readonly usage?: Usage;
  readonly notice?: string;
}

export interface TurnEnd {
  readonly kind: "end";
  readonly state: TurnState;
  readonly followUps: readonly string[];
  readonly usage: Usage | null;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface TurnBegin {
  readonly kind: "begin";
  readonly conversationId: string;
  readonly turnId: string;
}

export type TurnProgress = TurnBegin | TurnReport | TurnEnd;

export type AttachmentParams =
  | { readonly kind: "file"; readonly uri: string; readonly range?: lsp.Range }
  | { readonly kind: "selection"; readonly uri: string; readonly range: lsp.Range }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "diagnostics"; readonly uri: string };

export interface TurnParams {
  readonly conversationId: string;
  readonly message: string;
  readonly workDoneToken: string;
  readonly textDocument?: { readonly uri: string };
  readonly selection?: lsp.Range;
  readonly attachments?: readonly AttachmentParams[];
}
