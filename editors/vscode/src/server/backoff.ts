/** When a server that left by itself is started again. Times are milliseconds. */

const WINDOW_MS = 180_000;
const DELAYS_MS: readonly number[] = [0, 1_000, 3_000, 8_000];

export class Backoff {
  readonly #delaysMs: readonly number[];
  #crashes: number[] = [];

  /** How long to wait after each of the crashes of a few minutes; after one more there is no next start. */
  constructor(delaysMs = DELAYS_MS) {
    this.#delaysMs = delaysMs;
  }

  /** Note a crash at that time; how long to wait before the next start, or undefined: not again by itself. */
  delayAfter(now: number): number | undefined {
    this.#crashes = [...this.#crashes.filter((crash) => now - crash < WINDOW_MS), now];
    return this.#delaysMs[this.#crashes.length - 1];
  }

  /** How many crashes count now. */
  get numCrashes(): number {
    return this.#crashes.length;
  }

  forget(): void {
    this.#crashes = [];
  }
}
