/** The chat's state in the extension, and who is told of each event. */
import { type Disposable, EventEmitter } from "vscode";
import type { ChatEvent } from "./events";
import { reduce } from "./reduce";
import { type ChatState, EMPTY } from "./state";

export class ChatStore implements Disposable {
  readonly #events = new EventEmitter<ChatEvent>();
  #state: ChatState = EMPTY;

  /** Fired after the state has changed. */
  readonly onDidHappen = this.#events.event;

  get state(): ChatState {
    return this.#state;
  }

  dispatch(event: ChatEvent): void {
    this.#state = reduce(this.#state, event);
    this.#events.fire(event);
  }

  dispose(): void {
    this.#events.dispose();
  }
}
