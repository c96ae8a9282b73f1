/** The process `heron lsp`. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { LastWords } from "./words";

const PATIENCE_MS = 3_000;
/** After a process has left, what it wrote last is waited for so long. */
const LAST_WORDS_MS = 200;

export interface Launch {
  readonly command: string;
  readonly folder: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** A started process. Who reads its stderr lets `words` hear it. */
export interface Launched {
  readonly child: ChildProcessWithoutNullStreams;
  readonly words: LastWords;
}

/** Start the server; fails if the program cannot be run. */
export async function launch({ command, folder, environment }: Launch): Promise<Launched> {
  const child = spawn(command, ["lsp"], { cwd: folder, env: { ...process.env, ...environment }, stdio: "pipe" });
  await once(child, "spawn");
  child.stdin.on("error", () => undefined); // a server that was killed: its end is told by "exit"
  return { child, words: new LastWords() };
}

/** Wait until the process has left, and kill it if it does not. */
export async function bury({ child }: Launched): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await once(child, "exit");
  clearTimeout(timer);
}

/** Wait until the process has left and, as long as that may be, until all it wrote was read. */
export async function leaving({ child }: Launched): Promise<void> {
  const closed = once(child, "close");
  await once(child, "exit");
  await Promise.race([closed, delay(LAST_WORDS_MS)]); // a host it started may keep stderr open
}

/** How a process ended, for people: one that failed by itself has said why. */
export function endOf({ child, words }: Launched): string {
  if (child.signalCode) return `was ended by ${child.signalCode}`;
  const why = child.exitCode && words.line ? ` (${words.line})` : "";
  return `left with code ${child.exitCode ?? "?"}${why}`;
}
