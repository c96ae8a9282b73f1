/** Opening what an answer refers to. */
import { env, Range, Uri, window, workspace } from "vscode";
import { readLink } from "../../media/chat/links";

export async function openPlace(uri: Uri, selection?: Range): Promise<void> {
  await window.showTextDocument(uri, { preview: true, ...(selection ? { selection } : {}) });
}

/** Follow a link of an answer: what it may not lead to is not followed, whatever the page asks for. */
export async function openLink(href: string): Promise<void> {
  const target = readLink(href);
  if (target?.kind === "web") await env.openExternal(Uri.parse(target.href));
  if (target?.kind !== "path") return;
  const [uri] = await workspace.findFiles(target.path.replace(/[^\w./ -]/g, "?"), undefined, 1);
  if (uri === undefined) throw new Error(`There is no ${target.path} in this workspace.`);
  const line = (target.line ?? 1) - 1;
  await openPlace(uri, new Range(line, 0, line, 0));
}
