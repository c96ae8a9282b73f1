import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ChatEvent } from "../../../src/chat/events";
import { reduce } from "../../../src/chat/reduce";
import { answerText, type ChatState, EMPTY, running } from "../../../src/chat/state";
import type { Created, TurnReport, TurnState } from "../../../src/chat/wire";

const FRONT = { uri: "file:///w/a.py", path: "a.py" };
const KEPT: Created = {
  ...{ conversationId: "c1", title: "Kept", createdAt: 1, updatedAt: 2, numTurns: 1 },
  turns: [{ turnId: "k1", message: "Why?", answer: "So.", state: "complete", references: [] }],
};

function play(...events: readonly ChatEvent[]): ChatState {
  return events.reduce(reduce, EMPTY);
}

function asked(turnId: string, question = "Why?"): ChatEvent {
  return { kind: "asked", turnId, question };
}

function reported(turnId: string, report: Omit<TurnReport, "kind">): ChatEvent {
  return { kind: "reported", turnId, report: { kind: "report", ...report } };
}

function ended(turnId: string, state: TurnState, followUps: readonly string[] = []): ChatEvent {
  return { kind: "ended", turnId, end: { kind: "end", state, followUps, usage: null } };
}

test("pieces of an answer become one text, in order with what happens in between", () => {
  const tool = { id: "c1", name: "grep", state: "running", arguments: "{}" } as const;
  const state = play(
    asked("t"),
    reported("t", { reply: "It " }),
    reported("t", { reply: "subtracts. " }),
    reported("t", { tool }),
    reported("t", { tool: { id: "c1", name: "grep", state: "ok", result: "a.py:1" } }),
    reported("t", { reply: "Found." }),
  );
  const parts = state.turns[0]?.parts;
  assert.deepEqual(parts, [
    { kind: "text", text: "It subtracts. " },
    { kind: "tool", tool: { ...tool, state: "ok", result: "a.py:1" } },
    { kind: "text", text: "Found." },
  ]);
});

test("a question takes what is attached with it, and the document in front", () => {
  const attachment = { label: "b.py", params: { kind: "file", uri: "file:///w/b.py" } } as const;
  const state = play(
    { kind: "frontChanged", front: FRONT },
    { kind: "attached", attachment },
    { kind: "attached", attachment },
    asked("t"),
  );
  assert.deepEqual(state.turns[0]?.attachments, [attachment]);
  assert.deepEqual(state.turns[0]?.front, FRONT);
  assert.deepEqual(state.attachments, []);
});

test("the document in front can be left out, and named all the same", () => {
  const before = play({ kind: "frontChanged", front: FRONT }, { kind: "frontToggled" });
  assert.equal(reduce(before, asked("t")).turns[0]?.front, undefined);
  const named: ChatEvent = { kind: "asked", turnId: "t", question: "/fix", front: FRONT };
  assert.deepEqual(reduce(before, named).turns[0]?.front, FRONT);
});

test("a turn that has ended hears nothing any more, and its tools end with it", () => {
  const tool = { id: "c1", name: "grep", state: "running" } as const;
  const state = play(
    asked("t"),
    reported("t", { tool }),
    ended("t", "cancelled"),
    reported("t", { reply: "late" }),
    ended("t", "complete"),
  );
  const [turn] = state.turns;
  assert.equal(turn?.state, "cancelled");
  assert.deepEqual(turn?.parts, [{ kind: "tool", tool: { ...tool, state: "error" } }]);
  assert.equal(running(state), undefined);
});

test("only the last turn says what could be asked next", () => {
  const state = play(asked("a"), ended("a", "complete", ["/tests"]), asked("b"));
  assert.deepEqual(
    state.turns.map((turn) => turn.followUps),
    [[], []],
  );
});

test("a conversation begun for a question keeps it; one that is taken up replaces all", () => {
  const fresh = { ...KEPT, turns: [], title: "" };
  const begun = play(asked("t", "What is\nthis?"), { kind: "opened", conversation: fresh });
  assert.equal(begun.conversationId, "c1");
  assert.equal(begun.title, "What is");
  assert.equal(begun.turns.length, 1);
  const resumed = reduce(begun, { kind: "opened", conversation: KEPT });
  assert.deepEqual(
    resumed.turns.map((turn) => [turn.question, answerText(turn)]),
    [["Why?", "So."]],
  );
});

test("consent stands until it is answered, a fault until the next question", () => {
  const consent = { id: "q", text: "Let it?", choices: ["Allow once", "No"] };
  const state = play({ kind: "consentAsked", consent }, { kind: "faulted", message: "No server." });
  assert.deepEqual(state.consents, [consent]);
  const after = [{ kind: "consentAnswered", id: "q" } as const, asked("t")].reduce<ChatState>(reduce, state);
  assert.deepEqual(after.consents, []);
  assert.equal("fault" in after, false);
});

const EVENTS: fc.Arbitrary<ChatEvent> = fc.oneof(
  fc.constantFrom("a", "b").map((id) => asked(id)),
  fc.record({ id: fc.constantFrom("a", "b"), reply: fc.string() }).map(({ id, reply }) => reported(id, { reply })),
  fc.constantFrom<TurnState>("complete", "failed").map((state) => ended("a", state)),
  fc.constant<ChatEvent>({ kind: "cleared" }),
  fc.constant<ChatEvent>({ kind: "detached", index: 3 }),
  fc.constant<ChatEvent>({ kind: "opened", conversation: KEPT }),
);

test("states are never changed, and events as JSON lead to the same state", () => {
  fc.assert(
    fc.property(fc.array(EVENTS, { maxLength: 30 }), (events) => {
      const frozen = events.reduce<ChatState>((state, event) => freeze(reduce(state, event)), freeze(EMPTY));
      const sent = (JSON.parse(JSON.stringify(events)) as ChatEvent[]).reduce<ChatState>(reduce, EMPTY);
      assert.deepEqual(sent, frozen);
    }),
  );
});

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}
