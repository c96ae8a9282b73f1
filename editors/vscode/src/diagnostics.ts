/** Tells the server what other servers say of open documents: chat and code actions read it. */
import { type Diagnostic, type Disposable, languages, type Uri, workspace } from "vscode";
import type { HeronServer } from "./server";

const METHOD = "heron/didChangeDiagnostics";
const SCHEMES: ReadonlySet<string> = new Set(["file", "untitled"]);

export function tellDiagnostics(server: HeronServer): Disposable[] {
  const tell = (uri: Uri) => void server.sendNotification(METHOD, paramsOf(server, uri));
  return [
    languages.onDidChangeDiagnostics(({ uris }) => openOnes(uris).forEach(tell)),
    server.onDidChangeState((state) => {
      if (state === "running") openOnes(languages.getDiagnostics().map(([uri]) => uri)).forEach(tell);
    }),
  ];
}

/** Those of documents that are open, which are all the server keeps. */
function openOnes(uris: readonly Uri[]): Uri[] {
  const open = new Set(workspace.textDocuments.map(({ uri }) => uri.toString()));
  return uris.filter((uri) => SCHEMES.has(uri.scheme) && open.has(uri.toString()));
}

function paramsOf(server: HeronServer, uri: Uri): unknown {
  const diagnostics = languages.getDiagnostics(uri).map((diagnostic) => toLsp(server, diagnostic));
  return { uri: server.convert.uri(uri), diagnostics };
}

function toLsp(server: HeronServer, { range, severity, source, code, message }: Diagnostic): unknown {
  const shortCode = typeof code === "object" ? code.value : code;
  return { range: server.convert.range(range), severity: severity + 1, source, code: shortCode, message };
}
