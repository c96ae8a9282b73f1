/** What VS Code runs in its extension host. Results go to `result.json` in the folder that is open. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testCompletion } from "./completion";
import { testFind } from "./find";
import { folder, Suite } from "./harness";
import { testModels } from "./models";
import { testRandom } from "./random";
import { testServer } from "./server";
import { testSettings } from "./settings";
import { testStatus } from "./status";
import { testSuggestions } from "./suggestions";

export async function run(): Promise<void> {
  const suite = new Suite();
  const all = [testFind, testStatus, testSettings, testCompletion, testSuggestions, testModels, testRandom, testServer];
  for (const addTests of all) addTests(suite);
  const outcomes: Record<string, string> = {};
  for (const [name, test] of suite.tests) {
    outcomes[name] = "did not end";
    await tell(suite, outcomes);
    outcomes[name] = await outcomeOf(test);
  }
  await tell(suite, outcomes);
}

async function outcomeOf(test: () => Promise<void> | void): Promise<string> {
  const started = performance.now();
  try {
    await test();
    return `passed in ${Math.round(performance.now() - started)} ms`;
  } catch (error) {
    return `failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
  }
}

/** After each test, so that one that never ends is known by its name. */
async function tell({ notes }: Suite, outcomes: Record<string, string>): Promise<void> {
  await writeFile(join(folder(), "result.json"), JSON.stringify({ outcomes, notes }));
}
