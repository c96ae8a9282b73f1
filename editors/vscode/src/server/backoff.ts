/** When a server that left by itself is started again. Times are milliseconds. */

const WINDOW_MS = 180_000;
const DELAYS_MS: readonly number[] = [0, 1_000, 3_000, 8_000];

export class Backoff {
  #crashes: number[] = [];

  /** Note a crash at that time; how long to wait before the next start, or undefined: not again by itself. */
  delayAfter(now: number): number | undefined {
    this.#crashes = [...this.#crashes.filter((crash) => now - crash < WINDOW_MS), now];
    return DELAYS_MS[this.#crashes.length - 1];
  }

  /** How many crashes count now. */
  get numCrashes(): number {
    return this.#crashes.length;
  }

  forget(): void {
    this.#crashes = [];
  }
}
