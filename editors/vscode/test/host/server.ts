import { strict as assert } from "node:assert";
import { CancellationTokenSource } from "vscode";
import type { ServerFailure } from "../../src/server";
import type { Supervisor } from "../../src/server/supervisor";
import { parts, type Suite, until, untilReady, untilState } from "./harness";

export function testServer(suite: Suite): void {
  suite.test("a server that is killed is started again, and listeners stay", async () => {
    const server = await supervisor();
    await untilReady();
    const before = server.pid;
    assert(before);
    process.kill(before, "SIGKILL");
    await until(server.onDidChangeState, "the end of the old server", () => server.pid !== before);
    await untilState("running");
    await untilReady();
    assert.notEqual(server.pid, before);
  });

  suite.test("restarts wait for one another, and one process remains", async () => {
    const server = await supervisor();
    const before = server.pid;
    await Promise.all([server.restart(), server.restart(), server.stop(), server.restart()]);
    assert.equal(server.state, "running");
    assert(before && server.pid && server.pid !== before && !isAlive(before));
  });

  suite.test("a request starts a server that was stopped", async () => {
    const server = await supervisor();
    await server.stop();
    assert.equal(server.state, "stopped");
    assert.equal(server.model, undefined);
    assert.equal(await server.sendRequest("heron/lastTimings", {}), null);
    assert.equal(server.state, "running");
  });

  suite.test("what the server refuses is a failure with its code; cancelling is cancelling", async () => {
    const server = await supervisor();
    await assert.rejects(server.sendRequest("conversation/turn", {}), (error: ServerFailure) => error.code === -32602);
    const source = new CancellationTokenSource();
    const asked = server.sendRequest("heron/lastTimings", {}, source.token);
    source.cancel();
    const outcome = await asked.then(
      () => "answered",
      (error: Error) => error.name,
    );
    assert(["answered", "Canceled"].includes(outcome), outcome);
    assert.equal(server.numBusy, 0);
  });
}

async function supervisor(): Promise<Supervisor> {
  return (await parts()).server as Supervisor;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
