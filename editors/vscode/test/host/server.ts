import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { CancellationTokenSource, commands } from "vscode";
import { Questions } from "../../src/chat/consent";
import type { ServerFailure } from "../../src/server";
import { Backoff } from "../../src/server/backoff";
import { surroundServer } from "../../src/server/create";
import { type Environment, Supervisor } from "../../src/server/supervisor";
import { LastWords } from "../../src/server/words";
import { parts, type Suite, until, untilReady, untilState } from "./harness";

/** Waits between crashes, so short that a test can have them all. */
const DELAYS_MS: readonly number[] = [0, 10];

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

  suite.test("a server that crashes again and again is given up, with a sentence that says how it ended", async () => {
    const told: string[] = [];
    await using crashing = await Alone.with({ giveUp: (message) => told.push(message) });
    const { server } = crashing;
    await server.start();
    for (let crash = 0; crash <= DELAYS_MS.length; crash++) {
      await until(server.onDidChangeState, `start ${crash}`, () => server.state === "running");
      process.kill(server.pid ?? assert.fail("no process runs"), "SIGKILL");
      await until(server.onDidChangeState, `crash ${crash}`, () => server.state !== "running");
    }
    assert.equal(server.state, "failed");
    assert.deepEqual(told, [
      "Heron's server was ended by SIGKILL, 3 times within minutes. It stays off until you restart it.",
    ]);
    await server.restart();
    assert.equal(server.state, "running");
  });

  suite.test("a program that leaves at once is a failure with its last words, and is not tried again", async () => {
    const program = ["-e", "console.error('no module named heron'); process.exit(3)"];
    const launch = async () => {
      const child = spawn(process.execPath, program, {
        stdio: "pipe",
        env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
      });
      return { child, words: new LastWords() };
    };
    await using leaving = await Alone.with({ launch });
    await assert.rejects(leaving.server.start(), {
      message: "Heron's server left with code 3 (no module named heron).",
    });
    assert.equal(leaving.server.state, "failed");
  });

  suite.test("messages are traced from the time it is asked for", async () => {
    const { channels } = await parts();
    const server = await supervisor();
    const written: string[] = [];
    const write = channels.trace.trace.bind(channels.trace);
    channels.trace.trace = (message) => written.push(message);
    await server.sendRequest("heron/lastTimings", {});
    assert.equal(written.length, 0);
    await commands.executeCommand("heron.trace");
    await server.sendRequest("heron/lastTimings", {});
    assert(
      written.some((line) => line.includes("heron/lastTimings")),
      written.join(),
    );
    await commands.executeCommand("heron.trace");
    written.length = 0;
    await server.sendRequest("heron/lastTimings", {});
    assert.equal(written.length, 0);
    channels.trace.trace = write;
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
    await until(server.onDidChangeBusy, "the end of all requests", () => server.numBusy === 0);
  });
}

/** What the extension starts its server with, but for what a test wants otherwise. */
async function surroundings(change: Partial<Environment>): Promise<Environment> {
  const { context, channels } = await parts();
  const given = { channels, middleware: () => ({}), settings: () => ({}), questions: new Questions() };
  return { ...surroundServer(context, given), backoff: new Backoff(DELAYS_MS), ...change };
}

/** A server of a test's own, while that of the extension is stopped: both register the same commands. */
class Alone implements AsyncDisposable {
  private constructor(
    readonly server: Supervisor,
    readonly replaced: Supervisor,
  ) {}

  static async with(change: Partial<Environment>): Promise<Alone> {
    const replaced = await supervisor();
    await replaced.stop();
    return new Alone(new Supervisor(await surroundings(change)), replaced);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    this.server.dispose();
    await this.replaced.start();
  }
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
