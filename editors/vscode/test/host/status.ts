import { strict as assert } from "node:assert";
import { parseModels } from "../../src/model";
import type { ModelStatus } from "../../src/server";
import { type Condition, lookOf, textOf } from "../../src/status";
import type { Suite } from "./harness";

function condition(change: Partial<Condition>): Condition {
  return { server: "running", model: undefined, isPaused: false, isBusy: false, ...change };
}

function model(state: ModelStatus["state"], fraction: number | null = null): ModelStatus {
  return { state, model: "m", message: "", fraction };
}

export function testStatus(suite: Suite): void {
  suite.test("each state has its word", () => {
    const cases: readonly [Partial<Condition>, string][] = [
      [{ server: "stopped" }, "stopped"],
      [{ server: "starting" }, "starting"],
      [{ server: "failed", model: model("ready"), isPaused: true }, "error"],
      [{ model: model("downloading") }, "downloading"],
      [{ model: model("compiling") }, "compiling"],
      [{ model: model("loading") }, "loading"],
      [{ model: model("ready") }, "ready"],
      [{ model: model("ready"), isBusy: true }, "busy"],
      [{ model: model("ready"), isBusy: true, isPaused: true }, "paused"],
      [{ model: model("failed"), isPaused: true }, "error"],
    ];
    for (const [change, state] of cases) assert.equal(lookOf(condition(change)).state, state);
  });

  suite.test("progress is shown while something is on its way", () => {
    assert.match(textOf(condition({ model: model("downloading", 0.249) })), /Heron 24%$/);
    assert.match(textOf(condition({ model: model("ready", 1) })), /Heron$/);
    assert.match(textOf(condition({ model: model("compiling", 0.5), isPaused: true })), /Heron$/);
    assert.match(textOf(condition({ server: "failed", model: model("loading", 0.5) })), /Heron$/);
  });

  suite.test("the models are read from what `heron models list` prints", () => {
    const lines = [
      "MODEL                        SIZE    HERE  LICENSE     ",
      "qwen2.5-coder-0.5b-instruct  491 MB  yes   apache-2.0  small, fills in",
      "other                        1.1 GB  -     mit         larger",
      "Stored in /home/x, 20 GB free",
    ];
    assert.deepEqual(parseModels(lines), [
      {
        label: "qwen2.5-coder-0.5b-instruct",
        description: "491 MB, apache-2.0, on this machine",
        detail: "small, fills in",
      },
      { label: "other", description: "1.1 GB, mit", detail: "larger" },
    ]);
  });
}
