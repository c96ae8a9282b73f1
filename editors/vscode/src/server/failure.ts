import { CancellationError } from "vscode";
import { ServerFailure } from "../server";

/** LSP 3.18 "RequestCancelled". */
const REQUEST_CANCELLED = -32800;

/** The one error of a request that callers meet; a `CancellationError` where it was cancelled. */
export function toFailure(error: unknown): Error {
  if (error instanceof ServerFailure || error instanceof CancellationError) return error;
  if (isResponse(error)) {
    if (error.code === REQUEST_CANCELLED) return new CancellationError();
    return new ServerFailure(error.message, error.code, reasonOf(error.data));
  }
  return new ServerFailure(error instanceof Error ? error.message : String(error), undefined, undefined);
}

/** The error of a JSON-RPC response, by its form: its class is loaded with the language client, and not before. */
function isResponse(error: unknown): error is Error & { readonly code: number; readonly data?: unknown } {
  return error instanceof Error && "code" in error && typeof error.code === "number";
}

function reasonOf(data: unknown): string | undefined {
  const code = typeof data === "object" && data !== null && "code" in data ? data.code : undefined;
  return typeof code === "string" ? code : undefined;
}
