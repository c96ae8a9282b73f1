/** What of the built-in extension `vscode.git` is used here: its API, version 1. */
import { extensions, type SourceControlInputBox, type Uri } from "vscode";

export interface Repository {
  readonly rootUri: Uri;
  readonly inputBox: Pick<SourceControlInputBox, "value">;
}

interface Git {
  readonly repositories: readonly Repository[];
}

interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): Git;
}

/** The open repositories; none where Git is turned off. */
export async function repositories(): Promise<readonly Repository[]> {
  const extension = extensions.getExtension<GitExtension>("vscode.git");
  const git = await extension?.activate();
  return git?.enabled ? git.getAPI(1).repositories : [];
}
