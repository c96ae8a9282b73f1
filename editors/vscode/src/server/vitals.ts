/** What the server and its model are doing, and who is told when that changes. */
import { type Disposable, EventEmitter } from "vscode";
import type { ModelStatus, ServerState } from "../server";

export class Vitals implements Disposable {
  readonly #states = new EventEmitter<ServerState>();
  readonly #models = new EventEmitter<ModelStatus | undefined>();
  readonly #busy = new EventEmitter<number>();
  #state: ServerState = "stopped";
  #model: ModelStatus | undefined;
  #numBusy = 0;

  readonly onDidChangeState = this.#states.event;
  readonly onDidChangeModel = this.#models.event;
  readonly onDidChangeBusy = this.#busy.event;

  get state(): ServerState {
    return this.#state;
  }

  get model(): ModelStatus | undefined {
    return this.#model;
  }

  get numBusy(): number {
    return this.#numBusy;
  }

  setState(state: ServerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#states.fire(state);
  }

  setModel(model: ModelStatus | undefined): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#models.fire(model);
  }

  /** Count something that keeps the server busy while it runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#addBusy(1);
    try {
      return await work();
    } finally {
      this.#addBusy(-1);
    }
  }

  dispose(): void {
    for (const emitter of [this.#states, this.#models, this.#busy]) emitter.dispose();
  }

  #addBusy(change: number): void {
    this.#numBusy += change;
    this.#busy.fire(this.#numBusy);
  }
}
