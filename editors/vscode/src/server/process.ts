/** The process `heron lsp`. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

const PATIENCE_MS = 3_000;

export interface Launch {
  readonly command: string;
  readonly folder: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** Start the server; fails if the program cannot be run. */
export async function launch({ command, folder, environment }: Launch): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(command, ["lsp"], { cwd: folder, env: { ...process.env, ...environment }, stdio: "pipe" });
  await once(child, "spawn");
  child.stdin.on("error", () => undefined); // a server that was killed: its end is told by "exit"
  return child;
}

/** Wait until the process has left, and kill it if it does not. */
export async function bury(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await once(child, "exit");
  clearTimeout(timer);
}

/** How a process ended, for people. */
export function endOf(child: ChildProcessWithoutNullStreams): string {
  return child.signalCode ? `was ended by ${child.signalCode}` : `left with code ${child.exitCode ?? "?"}`;
}
