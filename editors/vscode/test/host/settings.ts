import { strict as assert } from "node:assert";
import { ConfigurationTarget, workspace } from "vscode";
import { readSettings, serverSettings } from "../../src/settings";
import { parts, type Suite } from "./harness";

export function testSettings(suite: Suite): void {
  suite.test("the server is given what the user has set, and only that", async () => {
    const names = serverSettings((await parts()).context);
    assert(names.includes("heron.completion.maxTokens") && !names.some((name) => name.startsWith("heron.server.")));
    const completion = workspace.getConfiguration("heron.completion");
    assert.equal(readSettings(names)["completion"], undefined);
    await completion.update("maxTokens", 33, ConfigurationTarget.Workspace);
    assert.deepEqual(readSettings(names)["completion"], { max_tokens: 33 });
    await completion.update("maxTokens", undefined, ConfigurationTarget.Workspace);
    assert.equal(readSettings(names)["completion"], undefined);
  });
}
