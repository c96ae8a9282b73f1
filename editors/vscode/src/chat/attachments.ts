/** What can be attached to a question: files, symbols, the selection, problems. */
import { commands, DiagnosticSeverity, languages, type SymbolInformation, type Uri, window, workspace } from "vscode";
import type { HeronServer } from "../server";
import { readFront } from "./front";
import { labelLines } from "./lines-label";
import type { Suggestion } from "./messages";
import type { Attachment } from "./state";

const MAX_ITEMS = 20;
/** Folders nobody attaches from; `files.exclude` and `.gitignore` are respected besides. */
const EXCLUDED = "**/{node_modules,.git,.venv,venv,__pycache__,dist,build,target}/**";

/** What fits a query, which may begin with `file:` or `symbol:` as the server's own references do. */
export async function suggest(server: HeronServer, query: string): Promise<readonly Suggestion[]> {
  const [, kind = "", text = ""] = /^(?:(file|symbol):)?(.*)$/.exec(query) ?? [];
  const here = kind === "" ? ofEditor(server).filter(({ label }) => label.slice(1).startsWith(text)) : [];
  const files = kind === "symbol" ? [] : await findFiles(server, text);
  const symbols = kind === "file" || text === "" ? [] : await findSymbols(text);
  return [...here, ...files, ...symbols].slice(0, MAX_ITEMS);
}

/** The selection and the problems of the editor in front. */
function ofEditor(server: HeronServer): readonly Suggestion[] {
  const editor = window.activeTextEditor;
  if (editor === undefined) return [];
  const { uri, path, range } = readFront(server, editor);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const lines = range ? labelLines(name, range) : "";
  const selection: Attachment[] = range ? [{ label: lines, params: { kind: "selection", uri, range } }] : [];
  const problems: Attachment = { label: `problems of ${name}`, params: { kind: "diagnostics", uri } };
  return [
    ...selection.map((attachment) => ({ label: "#selection", detail: lines, attachment })),
    { label: "#diagnostics", detail: describeProblems(editor.document.uri), attachment: problems },
  ];
}

function describeProblems(uri: Uri): string {
  const found = languages.getDiagnostics(uri);
  const errors = found.filter(({ severity }) => severity === DiagnosticSeverity.Error).length;
  return `${found.length} problems, ${errors} of them errors`;
}

async function findFiles(server: HeronServer, text: string): Promise<readonly Suggestion[]> {
  const letters = [...text].filter((letter) => /[\w.-]/.test(letter)).map((letter) => letter.replace(/\W/, "?"));
  const pattern = text.includes("/") ? `**/${text.replace(/[^\w./-]/g, "?")}*` : `**/*${letters.join("*")}*`;
  const uris = await workspace.findFiles(pattern, EXCLUDED, MAX_ITEMS * 5);
  const named = uris.map((uri) => ({ uri, path: workspace.asRelativePath(uri) }));
  named.sort((a, b) => rank(a.path, text) - rank(b.path, text) || a.path.localeCompare(b.path));
  return named.slice(0, MAX_ITEMS).map(({ uri, path }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return {
      label: name,
      detail: path,
      attachment: { label: path, params: { kind: "file", uri: server.convert.uri(uri) } },
    };
  });
}

/** Names that begin with the text come first, then those that contain it, then the rest; of these, shorter paths. */
function rank(path: string, text: string): number {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const wanted = text.toLowerCase();
  const fit = name.startsWith(wanted) ? 0 : name.includes(wanted) ? 1 : 2;
  return fit * 1000 + Math.min(999, path.length);
}

/** Symbols as other extensions know them; the server finds by name also what none of these does. */
async function findSymbols(text: string): Promise<readonly Suggestion[]> {
  const command = "vscode.executeWorkspaceSymbolProvider";
  const found = await commands.executeCommand<readonly SymbolInformation[] | undefined>(command, text);
  const named = (found ?? []).slice(0, MAX_ITEMS).map(({ name, containerName, location }) => {
    const full = containerName ? `${containerName}.${name}` : name;
    return symbol(full.replace(/\(.*$/, ""), workspace.asRelativePath(location.uri));
  });
  return named.length > 0 || !/^[A-Za-z_][\w.]*$/.test(text) ? named : [symbol(text, "a symbol of this name")];
}

function symbol(name: string, detail: string): Suggestion {
  return { label: `#symbol:${name}`, detail, attachment: { label: name, params: { kind: "symbol", name } } };
}

/** Choose by a list of VS Code's own, for the button. */
export async function chooseAttachment(server: HeronServer): Promise<Attachment | undefined> {
  const suggestions = await suggest(server, "");
  const items = suggestions.map(({ label, detail, attachment }) => ({ label, description: detail, attachment }));
  const options = { title: "Heron: Attach", placeHolder: "Selection, problems or a file", matchOnDescription: true };
  return (await window.showQuickPick(items, options))?.attachment;
}
