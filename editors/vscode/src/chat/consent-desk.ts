/** Questions for consent that stand in the chat, until they are answered or the turn they belong to has ended. */
import { type Consent, running } from "./state";
import type { ChatStore } from "./store";

type Resolve = (choice: string | undefined) => void;

export class ConsentDesk {
  readonly #store: ChatStore;
  readonly #waiting = new Map<string, Resolve>();

  constructor(store: ChatStore) {
    this.#store = store;
    store.onDidHappen((event) => {
      if (event.kind === "ended" || event.kind === "cleared") this.#dismissAll();
    });
  }

  /** Whether a turn of the chat runs, so that a question can be one of its. */
  get isExpecting(): boolean {
    return running(this.#store.state) !== undefined;
  }

  ask(consent: Consent): Promise<string | undefined> {
    this.#store.dispatch({ kind: "consentAsked", consent });
    return new Promise((resolve) => this.#waiting.set(consent.id, resolve));
  }

  /** Take an answer; only one that was offered counts. */
  answer(id: string, choice: string): void {
    const consent = this.#store.state.consents.find((asked) => asked.id === id);
    if (consent?.choices.includes(choice)) this.#resolve(id, choice);
  }

  #dismissAll(): void {
    for (const id of [...this.#waiting.keys()]) this.#resolve(id, undefined);
  }

  #resolve(id: string, choice: string | undefined): void {
    this.#waiting.get(id)?.(choice);
    this.#waiting.delete(id);
    this.#store.dispatch({ kind: "consentAnswered", id });
  }
}
