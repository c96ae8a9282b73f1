/** Choosing the model, from those that `heron models list` knows. */
import { ConfigurationTarget, type ExtensionContext, type QuickPickItem, window, workspace } from "vscode";
import { requireServer, serverEnvironment } from "./server/create";
import { runProgram } from "./server/run";

const AUTO: QuickPickItem = { label: "auto", detail: "What fits this machine" };

export async function chooseModel(context: ExtensionContext): Promise<void> {
  const setting = workspace.getConfiguration("heron.model");
  const placeHolder = `Now: ${setting.get("name", "auto")}`;
  const chosen = await window.showQuickPick(listModels(context), {
    title: "Heron: Model",
    placeHolder,
    matchOnDetail: true,
  });
  if (chosen) await setting.update("name", chosen.label, ConfigurationTarget.Global);
}

async function listModels(context: ExtensionContext): Promise<QuickPickItem[]> {
  const command = await requireServer(context);
  const lines: string[] = [];
  const program = { command, args: ["models", "list"], environment: serverEnvironment() };
  const code = await runProgram(program, (line) => lines.push(line));
  if (code !== 0) throw new Error(lines.at(-1) ?? "heron models list failed.");
  return [AUTO, ...parseModels(lines)];
}

/** The rows of the table that `heron models list` prints: columns are two blanks or more apart. */
export function parseModels(lines: readonly string[]): QuickPickItem[] {
  const rows = lines.map((line) => line.split(/\s{2,}/));
  const models = rows.filter((row) => row.length >= 4 && row[0] !== "MODEL");
  return models.map(([label = "", size = "", here = "", license = "", detail = ""]) => ({
    label,
    description: [size, license, here === "yes" ? "on this machine" : ""].filter(Boolean).join(", "),
    detail,
  }));
}
