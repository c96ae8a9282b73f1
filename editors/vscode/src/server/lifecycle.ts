/** Keeps one process running: starts, stops and restarts it, one after the other, and after a crash. */
import { setTimeout as delay } from "node:timers/promises";
import type { Backoff } from "./backoff";
import type { HeronClient } from "./client";
import { toFailure } from "./failure";
import { bury, endOf, type Launched, leaving } from "./process";
import { Queue } from "./queue";
import type { Vitals } from "./vitals";

/** A client learns that its process has left a moment before the process's own end is told. */
const LEAVING_MS = 500;

interface Running extends Launched {
  readonly client: HeronClient;
}

/** What this needs of the editor. */
export interface Surroundings {
  readonly backoff: Backoff;
  /** Find and start the process; its errors are for people. */
  launch(): Promise<Launched>;
  /** The client of a process, with everybody who listens connected. */
  connect(launched: Launched): Promise<HeronClient>;
  log(message: string): void;
  /** The server crashed so often that it is not started again by itself. */
  giveUp(message: string): void;
}

export class Lifecycle {
  readonly #around: Surroundings;
  readonly #vitals: Vitals;
  readonly #queue = new Queue();
  #running: Running | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(around: Surroundings, vitals: Vitals) {
    this.#around = around;
    this.#vitals = vitals;
  }

  /** The client of the process that runs or is being started. */
  get client(): HeronClient | undefined {
    return this.#running?.client;
  }

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
    this.#around.backoff.forget();
    return this.#queue.run(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  dispose(): void {
    clearTimeout(this.#retry);
    this.#running?.child.kill();
  }

  async #start(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#running) return;
    this.#vitals.setState("starting");
    try {
      await this.#run(await this.#around.launch());
    } catch (error) {
      this.#running = undefined;
      this.#vitals.setState("failed");
      throw toFailure(error);
    }
  }

  async #run(launched: Launched): Promise<void> {
    const left = leaving(launched);
    const running: Running = { ...launched, client: await this.#around.connect(launched) };
    this.#running = running;
    try {
      await running.client.start();
    } catch (error) {
      const hasLeft = await Promise.race([left.then(() => true), delay(LEAVING_MS).then(() => false)]);
      launched.child.kill();
      throw hasLeft ? new Error(`Heron's server ${endOf(launched)}.`) : error;
    }
    void left.then(() => this.#crash(running));
    this.#vitals.setState("running");
    this.#around.log(`The server runs, process ${launched.child.pid}.`);
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#retry);
    const running = this.#running;
    this.#running = undefined;
    if (running) {
      await running.client.stop().catch((error) => this.#around.log(`Stopping: ${error}`));
      await bury(running);
    }
    this.#vitals.setModel(undefined);
    this.#vitals.setState("stopped");
  }

  /** A server that never answers would keep the queue from going on. */
  #abandonStart(): void {
    if (this.#vitals.state === "starting") this.#running?.child.kill();
  }

  /** A process ended; unless somebody asked it to, that is a crash. */
  #crash(running: Running): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#vitals.setModel(undefined);
    this.#startAgain(`Heron's server ${endOf(running)}`);
  }

  /** Soon, then later and later, then not by itself. A start that fails counts as a crash. */
  #startAgain(message: string): void {
    const { backoff } = this.#around;
    const delayMs = backoff.delayAfter(Date.now());
    if (delayMs === undefined) {
      this.#vitals.setState("failed");
      this.#around.giveUp(`${message}, ${backoff.numCrashes} times within minutes. It stays off until you restart it.`);
      return;
    }
    this.#around.log(`${message}. It is started again${delayMs ? ` in ${delayMs / 1000} s` : ""}.`);
    this.#vitals.setState("starting");
    const retry = () => void this.start().catch((error: Error) => this.#startAgain(error.message.replace(/\.$/, "")));
    this.#retry = setTimeout(retry, delayMs);
  }
}
