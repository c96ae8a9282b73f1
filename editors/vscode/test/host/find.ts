import { strict as assert } from "node:assert";
import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Backoff } from "../../src/server/backoff";
import { findServer, type Places } from "../../src/server/find";
import { Queue } from "../../src/server/queue";
import type { Suite } from "./harness";

export function testFind(suite: Suite): void {
  suite.test("the server of the workspace's environment comes before PATH, and that before our own", async () => {
    const root = await mkdtemp(join(tmpdir(), "find-"));
    const own = await makeProgram(join(root, "own", "bin", "heron"));
    const places: Places = {
      configured: "",
      folders: [root],
      path: join(root, "bin"),
      ownEnvironment: join(root, "own"),
    };
    assert.equal(await findServer(places), own);
    const onPath = await makeProgram(join(root, "bin", "heron"));
    assert.equal(await findServer(places), onPath);
    const inWorkspace = await makeProgram(join(root, ".venv", "bin", "heron"));
    assert.equal(await findServer(places), inWorkspace);
    assert.equal(await findServer({ ...places, folders: [] }), onPath, "folders that are not trusted");
  });

  suite.test("a configured server is not replaced by another", async () => {
    const root = await mkdtemp(join(tmpdir(), "find-"));
    await makeProgram(join(root, ".venv", "bin", "heron"));
    const places: Places = { configured: join(root, "no"), folders: [root], path: "", ownEnvironment: "" };
    assert.equal(await findServer(places), undefined);
    const program = await makeProgram(join(root, "tools", "heron"));
    // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code's own way to write it in settings
    assert.equal(await findServer({ ...places, configured: "${workspaceFolder}/tools/heron" }), program);
    assert.notEqual(await findServer({ ...places, configured: "~/no" }), join(homedir(), "no"));
  });

  suite.test("a file that is no program and a folder are not the server", async () => {
    const root = await mkdtemp(join(tmpdir(), "find-"));
    await mkdir(join(root, "heron"));
    await writeFile(join(root, "plain"), "");
    for (const configured of [join(root, "heron"), join(root, "plain")]) {
      assert.equal(await findServer({ configured, folders: [], path: "", ownEnvironment: "" }), undefined);
    }
  });

  suite.test("crashes are waited for longer and longer, then no more; old ones do not count", () => {
    const backoff = new Backoff();
    const delays = [0, 1, 2, 3, 4].map((second) => backoff.delayAfter(second * 1000));
    assert.deepEqual(delays, [0, 1000, 3000, 8000, undefined]);
    assert.equal(backoff.delayAfter(1_000_000), 0);
    backoff.delayAfter(1_000_001);
    backoff.forget();
    assert.equal(backoff.delayAfter(1_000_002), 0);
  });

  suite.test("jobs run one after the other, also after one that failed", async () => {
    const queue = new Queue();
    const order: string[] = [];
    const job = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
      if (name === "first") throw new Error("as it should");
    };
    const both = await Promise.allSettled([queue.run(job("first")), queue.run(job("second"))]);
    assert.deepEqual(order, ["first begins", "first ends", "second begins", "second ends"]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "fulfilled"],
    );
  });
}

async function makeProgram(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "#!/bin/sh\n");
  await chmod(path, 0o755);
  return path;
}
