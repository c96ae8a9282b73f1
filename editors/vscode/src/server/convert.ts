import { Range, Uri, type WorkspaceEdit } from "vscode";
import type * as lsp from "vscode-languageclient/node";
import type { Convert } from "../server";

/** Both sides count UTF-16 units. What the library converts is given to it by the client that runs, or ran last. */
export class Converter implements Convert {
  #client: lsp.LanguageClient | undefined;

  use(client: lsp.LanguageClient): void {
    this.#client = client;
  }

  uri(uri: Uri): string {
    return uri.toString();
  }

  range({ start, end }: lsp.Range): lsp.Range {
    return {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    };
  }

  toUri(uri: string): Uri {
    return Uri.parse(uri);
  }

  toRange({ start, end }: lsp.Range): Range {
    return new Range(start.line, start.character, end.line, end.character);
  }

  async toWorkspaceEdit(edit: lsp.WorkspaceEdit): Promise<WorkspaceEdit> {
    if (!this.#client) throw new Error("No server has run yet, so this edit is not one of its.");
    return this.#client.protocol2CodeConverter.asWorkspaceEdit(edit);
  }
}
