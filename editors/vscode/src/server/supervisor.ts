/** Keeps one language server running: starts, stops and restarts it, one after the other, and after a crash. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { type CancellationToken, type Disposable, EventEmitter } from "vscode";
import { type LanguageClient, ProgressType } from "vscode-languageclient/node";
import type { HeronServer, ModelStatus, ServerState } from "../server";
import { Backoff } from "./backoff";
import { Converter } from "./convert";
import { toFailure } from "./failure";
import { bury, endOf } from "./process";
import { Queue } from "./queue";

type Listener = (params: unknown) => void;

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly client: LanguageClient;
}

/** What the supervisor needs of the editor. */
export interface Surroundings {
  /** Find and start the process; its errors are for people. */
  launch(): Promise<ChildProcessWithoutNullStreams>;
  makeClient(child: ChildProcessWithoutNullStreams): LanguageClient;
  log(message: string): void;
  /** The server crashed so often that it is not started again by itself. */
  giveUp(message: string): void;
}

export class Supervisor implements HeronServer {
  readonly #around: Surroundings;
  readonly #queue = new Queue();
  readonly #backoff = new Backoff();
  readonly #states = new EventEmitter<ServerState>();
  readonly #models = new EventEmitter<ModelStatus | undefined>();
  readonly #busy = new EventEmitter<number>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #progress = new Map<string, Listener>();
  #state: ServerState = "stopped";
  #model: ModelStatus | undefined;
  #numBusy = 0;
  #running: Running | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly convert = new Converter();

  readonly onDidChangeState = this.#states.event;
  readonly onDidChangeModel = this.#models.event;
  readonly onDidChangeBusy = this.#busy.event;

  constructor(around: Surroundings) {
    this.#around = around;
    this.onNotification<ModelStatus>("heron/status", (status) => this.#setModel(status));
  }

  get state(): ServerState {
    return this.#state;
  }

  get model(): ModelStatus | undefined {
    return this.#model;
  }

  get numBusy(): number {
    return this.#numBusy;
  }

  /** The process, for tests and logs. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  start(): Promise<void> {
    return this.#queue.run(() => this.#start());
  }

  stop(): Promise<void> {
    this.#abandonStart();
    return this.#queue.run(() => this.#stop());
  }

  restart(): Promise<void> {
    this.#abandonStart();
    this.#backoff.forget();
    return this.#queue.run(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  async sendRequest<R>(method: string, params: unknown, token?: CancellationToken): Promise<R> {
    const client = await this.#client();
    this.#setBusy(1);
    try {
      return await (token ? client.sendRequest<R>(method, params, token) : client.sendRequest<R>(method, params));
    } catch (error) {
      throw toFailure(error);
    } finally {
      this.#setBusy(-1);
    }
  }

  /** Without a running server there is nobody to tell. */
  async sendNotification(method: string, params: unknown): Promise<void> {
    if (this.#state === "running") await this.#running?.client.sendNotification(method, params);
  }

  onNotification<P>(method: string, listener: (params: P) => void): Disposable {
    const listeners = this.#listeners.get(method) ?? this.#listen(method);
    listeners.add(listener as Listener);
    return { dispose: () => listeners.delete(listener as Listener) };
  }

  onProgress<V>(token: string, listener: (value: V) => void): Disposable {
    this.#progress.set(token, listener as Listener);
    const following = this.#running && followProgress(this.#running.client, token, listener as Listener);
    return {
      dispose: () => {
        this.#progress.delete(token);
        following?.dispose();
      },
    };
  }

  dispose(): void {
    clearTimeout(this.#retry);
    this.#running?.child.kill();
    for (const emitter of [this.#states, this.#models, this.#busy]) emitter.dispose();
  }

  async #client(): Promise<LanguageClient> {
    if (!this.#running) await this.start();
    if (!this.#running) throw toFailure(new Error("Heron's server does not run."));
    return this.#running.client;
  }

  async #start(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#running) return;
    this.#setState("starting");
    try {
      const child = await this.#around.launch();
      await this.#connect(child);
    } catch (error) {
      this.#setState("failed");
      throw toFailure(error);
    }
  }

  async #connect(child: ChildProcessWithoutNullStreams): Promise<void> {
    const client = this.#around.makeClient(child);
    this.convert.use(client);
    for (const method of this.#listeners.keys()) this.#forward(client, method);
    for (const [token, listener] of this.#progress) followProgress(client, token, listener);
    this.#running = { child, client };
    child.once("exit", () => this.#left(child));
    try {
      await client.start();
    } catch (error) {
      child.kill();
      throw error;
    }
    this.#setState("running");
    this.#around.log(`The server runs, process ${child.pid}.`);
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#retry);
    const running = this.#running;
    this.#running = undefined;
    if (running) {
      await running.client.stop().catch((error) => this.#around.log(`Stopping: ${error}`));
      await bury(running.child);
    }
    this.#setModel(undefined);
    this.#setState("stopped");
  }

  /** A server that never answers would keep the queue from going on. */
  #abandonStart(): void {
    if (this.#state === "starting") this.#running?.child.kill();
  }

  /** A process ended that nobody asked to. */
  #left(child: ChildProcessWithoutNullStreams): void {
    if (this.#running?.child !== child) return;
    this.#running = undefined;
    this.#setModel(undefined);
    const message = `Heron's server ${endOf(child)}`;
    const delayMs = this.#backoff.delayAfter(Date.now());
    if (delayMs === undefined) {
      this.#setState("failed");
      this.#around.giveUp(`${message}, for the ${this.#backoff.numCrashes}th time in three minutes.`);
      return;
    }
    this.#around.log(`${message}. It is started again${delayMs ? ` in ${delayMs / 1000} s` : ""}.`);
    this.#setState("starting");
    this.#retry = setTimeout(() => void this.start().catch((error) => this.#around.log(String(error))), delayMs);
  }

  #listen(method: string): Set<Listener> {
    const listeners = new Set<Listener>();
    this.#listeners.set(method, listeners);
    if (this.#running) this.#forward(this.#running.client, method);
    return listeners;
  }

  #forward(client: LanguageClient, method: string): void {
    client.onNotification(method, (params: unknown) => {
      for (const listener of this.#listeners.get(method) ?? []) listener(params);
    });
  }

  #setState(state: ServerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#states.fire(state);
  }

  #setModel(model: ModelStatus | undefined): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#models.fire(model);
  }

  #setBusy(change: number): void {
    this.#numBusy += change;
    this.#busy.fire(this.#numBusy);
  }
}

function followProgress(client: LanguageClient, token: string, listener: Listener): Disposable {
  return client.onProgress(new ProgressType<unknown>(), token, listener);
}
