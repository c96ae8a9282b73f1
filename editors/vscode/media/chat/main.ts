/** The chat's page: holds the state the extension tells, and shows it. */

import type { ToView } from "../../src/chat/messages";
import { reduce } from "../../src/chat/reduce";
import { type ChatState, EMPTY } from "../../src/chat/state";
import { Announcer } from "./announcer";
import { Banner } from "./banner";
import { Chips } from "./chips";
import { Composer, type Drafts } from "./composer";
import { Consents } from "./consents";
import type { Send } from "./send";
import { Transcript } from "./transcript";

/** What VS Code gives a webview. */
interface VsCode {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCode;

interface Parts {
  readonly composer: Composer;
  show(state: ChatState): void;
}

function openParts(send: Send, drafts: Drafts): Parts {
  const composer = new Composer(send, drafts);
  const [banner, transcript, consents] = [new Banner(), new Transcript(send), new Consents(send)];
  const [chips, announcer] = [new Chips(send), new Announcer()];
  function show(state: ChatState): void {
    banner.update(state);
    transcript.update(state.turns);
    consents.update(state.consents);
    chips.update(state);
    composer.update(state);
    announcer.update(state);
  }
  return { composer, show };
}

function draftsOf(api: VsCode): Drafts {
  const read = () => {
    const kept = api.getState();
    return typeof kept === "string" ? kept : "";
  };
  return { read, write: (text) => api.setState(text) };
}

function run(): void {
  const api = acquireVsCodeApi();
  const send: Send = (message) => api.postMessage(message);
  const { composer, show } = openParts(send, draftsOf(api));
  let state = EMPTY;
  let isWaiting = false;

  /** Show what came at the next frame: an answer may bring several pieces between two. */
  function showSoon(): void {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      show(state);
    });
  }

  window.addEventListener("message", (event: MessageEvent<ToView>) => {
    const message = event.data;
    if (message.kind === "suggestions") return composer.suggest(message.query, message.items);
    if (message.kind === "focus") return composer.focus(message.text);
    state = message.kind === "state" ? message.state : reduce(state, message.event);
    showSoon();
  });
  send({ kind: "ready" });
}

run();
