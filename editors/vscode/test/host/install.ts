import { strict as assert } from "node:assert";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationTarget, commands, workspace } from "vscode";
import { ownEnvironment } from "../../src/server/create";
import { programIn } from "../../src/server/find";
import { folder, parts, type Suite, untilReady } from "./harness";

/** Who runs the tests puts a wheel there whose `heron` is that of the tests. */
const WHEEL = "heron_lsp-0.0.1-py3-none-any.whl";

export function testInstall(suite: Suite): void {
  suite.test("the server is installed into an environment of its own, and started", async () => {
    const { context, server } = await parts();
    const settings = workspace.getConfiguration("heron.server");
    await settings.update("package", join(folder(), "..", WHEEL), ConfigurationTarget.Global);
    await settings.update("path", "", ConfigurationTarget.Global);
    await commands.executeCommand("heron.install");
    await access(programIn(ownEnvironment(context), "heron"));
    assert.equal(server.state, "running");
    await untilReady();
  });
}
