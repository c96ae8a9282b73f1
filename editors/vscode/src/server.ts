import type { CancellationToken, Disposable, Event, Uri, WorkspaceEdit } from "vscode";
import type * as lsp from "vscode-languageclient/node";

/** The state of the process `heron lsp`; the state of its model is a `ModelStatus`. */
export type ServerState = "stopped" | "starting" | "running" | "failed";

/** What `heron/status` tells. `fraction`, 0 to 1, is the progress of that state. */
export interface ModelStatus {
  readonly state: "starting" | "downloading" | "compiling" | "loading" | "ready" | "failed";
  readonly model: string;
  readonly message: string;
  readonly fraction: number | null;
}

/** One language server a window, through all its restarts. Listeners outlive them. */
export interface HeronServer extends Disposable {
  readonly state: ServerState;
  readonly onDidChangeState: Event<ServerState>;

  /** Undefined until the server has told it, and while no server runs. */
  readonly model: ModelStatus | undefined;
  readonly onDidChangeModel: Event<ModelStatus | undefined>;

  /** How many requests of people (`sendRequest`) are on their way; the status bar shows it. */
  readonly numBusy: number;
  readonly onDidChangeBusy: Event<number>;

  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;

  /**
   * Ask, starting the server if none runs. Cancelling the token cancels the request.
   * Fails with a `ServerFailure`, or with a `CancellationError` once cancelled.
   */
  sendRequest<R>(method: string, params: unknown, token?: CancellationToken): Promise<R>;
  sendNotification(method: string, params: unknown): Promise<void>;
  onNotification<P>(method: string, listener: (params: P) => void): Disposable;
  /** `$/progress` of one `workDoneToken` that a request was given. */
  onProgress<V>(token: string, listener: (value: V) => void): Disposable;

  /** LSP's shapes from and to VS Code's. */
  readonly convert: Convert;
}

export interface Convert {
  uri(uri: Uri): string;
  range(range: { start: lsp.Position; end: lsp.Position }): lsp.Range;
  toUri(uri: string): Uri;
  toRange(range: lsp.Range): import("vscode").Range;
  toWorkspaceEdit(edit: lsp.WorkspaceEdit): Promise<WorkspaceEdit>;
}

/** A request that the server, or the way to it, could not do. `message` is a sentence for people. */
export class ServerFailure extends Error {
  constructor(
    message: string,
    /** The code of LSP, such as -32803. */
    readonly code: number | undefined,
    /** Heron's own code, such as `model_not_ready`. */
    readonly reason: string | undefined,
  ) {
    super(message);
  }
}
