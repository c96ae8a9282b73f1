/** What VS Code's chat attached to a request, as the server knows attachments. */
import { type ChatPromptReference, Location, Uri } from "vscode";
import type { AttachmentParams } from "../chat/wire";
import type { HeronServer } from "../server";

/** Files and places in them; what is neither is left out. */
export function readReferences(
  { convert }: HeronServer,
  references: readonly ChatPromptReference[],
): readonly AttachmentParams[] {
  return references.flatMap(({ value }): AttachmentParams[] => {
    if (value instanceof Uri) return [{ kind: "file", uri: convert.uri(value) }];
    if (!(value instanceof Location)) return [];
    return [{ kind: "file", uri: convert.uri(value.uri), range: convert.range(value.range) }];
  });
}
