/** Runs a program to its end, line by line. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CancellationToken } from "vscode";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string | undefined;
}

/** The exit code; null where it was ended by a signal, as by cancelling. Fails if it cannot be run. */
export function runProgram(
  { command, args, environment, folder }: Program,
  onLine: (line: string) => void,
  token?: CancellationToken,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...environment }, cwd: folder, stdio: "pipe" });
    child.stdin.end();
    for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on("line", onLine);
    const listening = token?.onCancellationRequested(() => child.kill());
    child.once("error", reject);
    child.once("close", (code) => {
      listening?.dispose();
      resolve(code);
    });
  });
}
