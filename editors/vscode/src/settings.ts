/** The server's settings, as VS Code has them. They are generated into package.json by scripts/settings.py. */
import { type ExtensionContext, workspace } from "vscode";

/** Tables of the server's config.toml. */
export type Settings = Record<string, Record<string, unknown>>;

/** Sections of our own, which the server does not know. */
const OURS: ReadonlySet<string> = new Set(["editor", "server", "trace"]);

interface ConfigurationSection {
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The names of the server's settings, such as `heron.completion.maxTokens`. */
export function serverSettings(context: ExtensionContext): string[] {
  const sections: readonly ConfigurationSection[] = context.extension.packageJSON.contributes.configuration;
  const names = sections.flatMap((section) => Object.keys(section.properties));
  return names.filter((name) => !OURS.has(partsOf(name).section));
}

/** What the user has set, and only that: all else is for the server's config.toml and its defaults. */
export function readSettings(names: readonly string[]): Settings {
  const settings: Settings = {};
  for (const name of names) {
    const value = chosenValue(name);
    if (value === undefined) continue;
    const { section, key } = partsOf(name);
    settings[section] = { ...settings[section], [key]: value };
  }
  return settings;
}

function chosenValue(name: string): unknown {
  const configuration = workspace.getConfiguration();
  const found = configuration.inspect(name);
  const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
    (value) => value !== undefined,
  );
  return isSet ? configuration.get(name) : undefined;
}

/** `heron.completion.maxTokens` is `max_tokens` in the server's table `completion`. */
function partsOf(name: string): { section: string; key: string } {
  const [, section = "", key = ""] = name.split(".");
  return { section, key: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) };
}
