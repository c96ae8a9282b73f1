/** A test runner of a few lines for the extension host. */
import { strict as assert } from "node:assert";
import { type Disposable, type Event, extensions, workspace } from "vscode";
import type { Parts } from "../../src/commands";
import type { ServerState } from "../../src/server";

type Test = () => Promise<void> | void;

export class Suite {
  readonly tests = new Map<string, Test>();
  /** Figures for who started the tests. */
  readonly notes: Record<string, unknown> = {};

  test(name: string, run: Test): void {
    assert(!this.tests.has(name), `two tests are called ${name}`);
    this.tests.set(name, run);
  }
}

/** The longest any one thing may take, on a machine far slower than ours. */
export const PATIENCE_MS = 60_000;

/** The extension as it runs here. */
export async function parts(): Promise<Parts> {
  const extension = extensions.getExtension<Parts>("heron.heron");
  assert(extension, "the extension is not installed");
  return extension.activate();
}

/** Wait until a check holds, looking again at each event. */
export async function until(
  event: Event<unknown>,
  what: string,
  check: () => boolean,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  if (check()) return;
  let listening: Disposable | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      listening = event(() => check() && resolve());
      timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patienceMs);
    });
  } finally {
    listening?.dispose();
    clearTimeout(timer);
  }
}

export async function untilState(state: ServerState): Promise<void> {
  const { server } = await parts();
  await until(server.onDidChangeState, `the server to be ${state}`, () => server.state === state);
}

export async function untilReady(): Promise<void> {
  const { server } = await parts();
  await until(server.onDidChangeModel, "the model to be ready", () => server.model?.state === "ready");
}

/** The folder the tests may write in. */
export function folder(): string {
  const first = workspace.workspaceFolders?.[0];
  assert(first, "no folder is open");
  return first.uri.fsPath;
}
