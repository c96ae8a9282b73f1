/** What the webview and the extension tell each other. */
import type * as lsp from "vscode-languageserver-protocol";
import type { ChatEvent } from "./events";
import type { Attachment, ChatState } from "./state";

/** Something to choose while `#` is being written. One without an attachment puts its text in place of the query. */
export interface Suggestion {
  readonly label: string;
  readonly detail: string;
  readonly attachment?: Attachment;
  readonly insert?: string;
}

export type ToView =
  | { readonly kind: "state"; readonly state: ChatState }
  | { readonly kind: "event"; readonly event: ChatEvent }
  | { readonly kind: "suggestions"; readonly query: string; readonly items: readonly Suggestion[] }
  | { readonly kind: "focus"; readonly text?: string };

export type CodeAction = "apply" | "insert" | "copy";

export type FromView =
  | { readonly kind: "ready" }
  | { readonly kind: "ask"; readonly text: string }
  | { readonly kind: "draft"; readonly text: string }
  | { readonly kind: "stop" }
  | { readonly kind: "clear" }
  | { readonly kind: "history" }
  | { readonly kind: "chooseModel" }
  | { readonly kind: "chooseAttachment" }
  | { readonly kind: "attach"; readonly attachment: Attachment }
  | { readonly kind: "detach"; readonly index: number }
  | { readonly kind: "toggleFront" }
  | { readonly kind: "suggest"; readonly query: string }
  | { readonly kind: "open"; readonly uri: string; readonly range: lsp.Range }
  | { readonly kind: "link"; readonly href: string }
  | { readonly kind: "code"; readonly action: CodeAction; readonly turnId: string; readonly text: string }
  | { readonly kind: "review"; readonly turnId: string; readonly part: number }
  | { readonly kind: "consent"; readonly id: string; readonly choice: string };

/** The members a message of each kind must have; `text` is a string, `number` a number, `object` an object. */
const SHAPES: Readonly<Record<FromView["kind"], Readonly<Record<string, "string" | "number" | "object">>>> = {
  ready: {},
  ask: { text: "string" },
  draft: { text: "string" },
  stop: {},
  clear: {},
  history: {},
  chooseModel: {},
  chooseAttachment: {},
  attach: { attachment: "object" },
  detach: { index: "number" },
  toggleFront: {},
  suggest: { query: "string" },
  open: { uri: "string", range: "object" },
  link: { href: "string" },
  code: { action: "string", turnId: "string", text: "string" },
  review: { turnId: "string", part: "number" },
  consent: { id: "string", choice: "string" },
};

/** A message of the webview, or undefined for anything else. */
export function readMessage(value: unknown): FromView | undefined {
  if (!isObject(value) || typeof value["kind"] !== "string" || !Object.hasOwn(SHAPES, value["kind"])) return undefined;
  const shape = SHAPES[value["kind"] as FromView["kind"]];
  const fits = Object.entries(shape).every(([name, type]) => hasType(value[name], type));
  return fits ? (value as unknown as FromView) : undefined;
}

function hasType(value: unknown, type: "string" | "number" | "object"): boolean {
  return type === "object" ? isObject(value) : typeof value === type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
