/** Where the command `heron` is. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

const WINDOWS = process.platform === "win32";
const BIN = WINDOWS ? "Scripts" : "bin";
const ENVIRONMENTS: readonly string[] = [".venv", "venv", "env"];

export interface Places {
  /** The setting; empty if not set. */
  readonly configured: string;
  /** Folders of the workspace; empty in one that is not trusted, whose programs are not run. */
  readonly folders: readonly string[];
  /** As of the environment variable PATH. */
  readonly path: string;
  /** The environment that "Heron: Install Server" makes. */
  readonly ownEnvironment: string;
}

/** The first `heron` there is, or undefined. One that is configured is not replaced by another. */
export async function findServer(places: Places): Promise<string | undefined> {
  const candidates = places.configured ? [expand(places.configured, places.folders[0])] : candidatesOf(places);
  for (const candidate of candidates) {
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

/** The program of that name in an environment made by `python -m venv`. */
export function programIn(environment: string, name: string): string {
  return join(environment, BIN, WINDOWS ? `${name}.exe` : name);
}

/** The programs of these names on PATH, in the order of the names. */
export async function findOnPath(names: readonly string[], path: string): Promise<string[]> {
  const candidates = names.flatMap((name) => onPath(name, path));
  const found = await Promise.all(candidates.map(isProgram));
  return candidates.filter((_, index) => found[index]);
}

function candidatesOf(places: Places): string[] {
  const inWorkspace = places.folders.flatMap((folder) => ENVIRONMENTS.map((name) => join(folder, name)));
  return [
    ...inWorkspace.map((environment) => programIn(environment, "heron")),
    ...onPath("heron", places.path),
    programIn(places.ownEnvironment, "heron"),
  ];
}

function onPath(name: string, path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, WINDOWS ? `${name}.exe` : name));
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: this is VS Code's own way to write it in settings
const FOLDER = "${workspaceFolder}";

function expand(path: string, folder: string | undefined): string {
  const inFolder = folder === undefined ? path : path.replaceAll(FOLDER, folder);
  return inFolder.startsWith("~/") ? join(homedir(), inFolder.slice(2)) : inFolder;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
