import { CancellationError } from "vscode";
import { LSPErrorCodes, ResponseError } from "vscode-languageclient/node";
import { ServerFailure } from "../server";

/** The one error of a request that callers meet; a `CancellationError` where it was cancelled. */
export function toFailure(error: unknown): Error {
  if (error instanceof ServerFailure || error instanceof CancellationError) return error;
  if (error instanceof ResponseError) {
    if (error.code === LSPErrorCodes.RequestCancelled) return new CancellationError();
    return new ServerFailure(error.message, error.code, reasonOf(error.data));
  }
  return new ServerFailure(error instanceof Error ? error.message : String(error), undefined, undefined);
}

function reasonOf(data: unknown): string | undefined {
  const code = typeof data === "object" && data !== null && "code" in data ? data.code : undefined;
  return typeof code === "string" ? code : undefined;
}
