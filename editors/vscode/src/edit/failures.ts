/** Telling people what went wrong, once, in a sentence. */
import { CancellationError, window } from "vscode";

/** Run something; its failure is shown, and being cancelled is none. */
export async function told(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof CancellationError)) void window.showErrorMessage(`Heron: ${sentenceOf(error)}`);
  }
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
