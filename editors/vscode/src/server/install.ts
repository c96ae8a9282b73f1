/** Installs the server into an environment of the extension's own, with pip. */
import { rm } from "node:fs/promises";
import {
  CancellationError,
  type CancellationToken,
  type ExtensionContext,
  type LogOutputChannel,
  ProgressLocation,
  window,
  workspace,
} from "vscode";
import { ownEnvironment } from "./create";
import { findOnPath, programIn } from "./find";
import { runProgram } from "./run";

const PYTHONS: readonly string[] = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
const IS_NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

type Report = (message: string) => void;

/** Install, with progress that can be cancelled. Fails with a sentence for people, and leaves nothing half-made. */
export async function installServer(context: ExtensionContext, log: LogOutputChannel): Promise<void> {
  const options = { location: ProgressLocation.Notification, title: "Heron", cancellable: true };
  await window.withProgress(options, async (progress, token) => {
    const folder = ownEnvironment(context);
    const report: Report = (message) => progress.report({ message });
    try {
      await makeEnvironment(folder, { report, log, token });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  });
}

interface Installing {
  readonly report: Report;
  readonly log: LogOutputChannel;
  readonly token: CancellationToken;
}

async function makeEnvironment(folder: string, installing: Installing): Promise<void> {
  installing.report("looking for Python 3.11 or newer");
  const python = await findPython();
  installing.report("making an environment");
  await step([python, "-m", "venv", "--clear", folder], installing);
  const wanted = workspace.getConfiguration("heron.server").get("package", "heron-lsp");
  installing.report(`installing ${wanted}`);
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
  await step([programIn(folder, "python"), ...pip, wanted], installing);
}

async function findPython(): Promise<string> {
  const configured = workspace.getConfiguration("heron.server").get("python", "");
  const candidates = configured ? [configured] : await findOnPath(PYTHONS, process.env["PATH"] ?? "");
  for (const candidate of candidates) {
    const code = await runProgram({ command: candidate, args: ["-c", IS_NEW_ENOUGH] }, () => undefined).catch(() => 1);
    if (code === 0) return candidate;
  }
  throw new Error("Heron needs Python 3.11 or newer with venv, which was not found. Set heron.server.python to one.");
}

/** One command of the installation; what it prints goes to the log, and its last lines into the error. */
async function step([command, ...args]: [string, ...string[]], { report, log, token }: Installing): Promise<void> {
  log.info([command, ...args].join(" "));
  const lines: string[] = [];
  const code = await runProgram(
    { command, args },
    (line) => {
      log.info(line);
      lines.push(line);
      if (/^(Collecting|Downloading|Installing|Building)/.test(line)) report(line.slice(0, 80));
    },
    token,
  );
  if (token.isCancellationRequested) throw new CancellationError();
  if (code !== 0)
    throw new Error(
      `The installation failed: ${lines.findLast((line) => line.includes("ERROR")) ?? lines.at(-1) ?? `code ${code}`}`,
    );
}
