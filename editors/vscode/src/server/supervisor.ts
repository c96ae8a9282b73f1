/** The language server of this window: one process at a time, and what is asked of it and heard from it. */
import type { CancellationToken, Disposable } from "vscode";
import type { HeronServer, ModelStatus, ServerState } from "../server";
import type { HeronClient } from "./client";
import { Converter } from "./convert";
import { toFailure } from "./failure";
import { Lifecycle, type Surroundings } from "./lifecycle";
import type { Launched } from "./process";
import { Routes } from "./routes";
import { Vitals } from "./vitals";

/** What the supervisor needs of the editor. */
export interface Environment extends Omit<Surroundings, "connect"> {
  makeClient(launched: Launched): Promise<HeronClient>;
}

export class Supervisor implements HeronServer {
  readonly #vitals = new Vitals();
  readonly #routes = new Routes();
  readonly #lifecycle: Lifecycle;
  readonly convert = new Converter();

  readonly onDidChangeState = this.#vitals.onDidChangeState;
  readonly onDidChangeModel = this.#vitals.onDidChangeModel;
  readonly onDidChangeBusy = this.#vitals.onDidChangeBusy;

  constructor(environment: Environment) {
    const connect = async (launched: Launched) => {
      const client = await environment.makeClient(launched);
      this.convert.use(client);
      this.#routes.connect(client);
      return client;
    };
    this.#lifecycle = new Lifecycle({ ...environment, connect }, this.#vitals);
    this.onNotification<ModelStatus>("heron/status", (status) => this.#vitals.setModel(status));
  }

  get state(): ServerState {
    return this.#vitals.state;
  }

  get model(): ModelStatus | undefined {
    return this.#vitals.model;
  }

  get numBusy(): number {
    return this.#vitals.numBusy;
  }

  /** The process, for tests and logs. */
  get pid(): number | undefined {
    return this.#lifecycle.pid;
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  restart(): Promise<void> {
    return this.#lifecycle.restart();
  }

  async sendRequest<R>(method: string, params: unknown, token?: CancellationToken): Promise<R> {
    const client = await this.#client();
    const send = () => (token ? client.sendRequest<R>(method, params, token) : client.sendRequest<R>(method, params));
    try {
      return await this.#vitals.during(send);
    } catch (error) {
      throw toFailure(error);
    }
  }

  /** Without a running server there is nobody to tell. */
  async sendNotification(method: string, params: unknown): Promise<void> {
    if (this.state === "running") await this.#lifecycle.client?.sendNotification(method, params);
  }

  onNotification<P>(method: string, listener: (params: P) => void): Disposable {
    return this.#routes.onNotification(method, listener);
  }

  onProgress<V>(token: string, listener: (value: V) => void): Disposable {
    return this.#routes.onProgress(token, listener);
  }

  dispose(): void {
    this.#lifecycle.dispose();
    this.#vitals.dispose();
  }

  async #client(): Promise<HeronClient> {
    if (!this.#lifecycle.client) await this.start();
    const { client } = this.#lifecycle;
    if (!client) throw toFailure(new Error("Heron's server does not run."));
    return client;
  }
}
