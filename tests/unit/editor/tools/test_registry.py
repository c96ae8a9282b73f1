"""What a tool must be to be added, what a call must be to run, and what becomes of tools that misbehave."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from heron.editor.tools.consent import Answer, ConsentQuestion, remembering
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Consent, Scene, ToolLimits, ToolOutcome, ToolResult
from heron.editor.tools.typed_tool import typed_tool
from heron.editor.workspace.folders import open_workspace
from heron.errors import InvalidRequest, OutsideWorkspace
from heron.wire import ToolCall, ToolSpec

EMPTY = '{"type": "object", "properties": {}, "additionalProperties": false}'
Work = Callable[[Mapping[str, Any], Scene], Awaitable[ToolResult]]


async def answer(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
    return ToolResult("done")


@dataclass(frozen=True)
class Probe:
    """A tool of which everything can be chosen."""

    work: Work = answer
    spec: ToolSpec = ToolSpec("probe", "Probes.", EMPTY)
    consent: Consent = "free"
    limits: ToolLimits = ToolLimits(time_s=5.0, output_chars=1000)

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        return await self.work(arguments, scene)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(open_workspace([tmp_path]))


async def run(tool: Probe, scene: Scene, arguments: str = "{}") -> ToolOutcome:
    registry = Registry()
    registry.add(tool)
    return await registry.run(ToolCall("1", tool.spec.name, arguments), scene)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (Probe(spec=ToolSpec("", "d", EMPTY)), "Tool name ''"),
        (Probe(spec=ToolSpec("9lives", "d", EMPTY)), "letters, digits"),
        (Probe(spec=ToolSpec("a b", "d", EMPTY)), "letters, digits"),
        (Probe(spec=ToolSpec("a.b.c", "d", EMPTY)), "one dot"),
        (Probe(spec=ToolSpec("a" * 65, "d", EMPTY)), "letters, digits"),
        (Probe(spec=ToolSpec("probe", "  ", EMPTY)), "description"),
        (Probe(spec=ToolSpec("probe", "d" * 3000, EMPTY)), "description"),
        (Probe(spec=ToolSpec("probe", "d", "{")), "not valid JSON"),
        (Probe(spec=ToolSpec("probe", "d", "[]")), "must be a JSON object"),
        (Probe(spec=ToolSpec("probe", "d", '{"type": "string"}')), "type object"),
        (
            Probe(spec=ToolSpec("probe", "d", '{"type": "object", "properties": {"a": {"type": "text"}}}')),
            "no JSON schema",
        ),
        (Probe(spec=ToolSpec("probe", "d", '{"type": "object", "$ref": "https://example.org/x"}')), "cannot be used"),
        (Probe(spec=ToolSpec("probe", "d", '{"type": "object", "x": "' + "y" * 60_000 + '"}')), "longer than"),
        (Probe(limits=ToolLimits(time_s=0)), "above 0"),
        (Probe(consent="maybe"), "'maybe' is not one of"),  # type: ignore[arg-type]
    ],
)
def test_bad_tools_are_not_added(tool: Probe, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Registry().add(tool)
    assert said in str(caught.value)


def test_a_name_is_given_once() -> None:
    registry = Registry()
    registry.add(Probe())
    with pytest.raises(InvalidRequest, match="already"):
        registry.add(Probe())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "must be a JSON object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"n": NaN}', "not valid JSON"),
        ('{"n": 1' + "0" * 5000 + "}", "not valid JSON"),
        ("{}", "'n' is a required property. Known: n (integer, required), s (string)"),
        ('{"n": "1"}', "n: '1' is not of type 'integer'"),
        ('{"n": 1, "m": 2}', "'m' was unexpected"),
        ('{"n": 0}', "less than the minimum of 1"),
        ('{"n": 1, "s": "' + "a" * 40 + '!"}', "could not be matched"),
        ('{"n": 1, "s": "' + "a" * 500_000 + '"}', "longer than"),
    ],
)
async def test_arguments_out_of_schema_are_told_to_the_model(scene: Scene, arguments: str, said: str) -> None:
    schema = """{"type": "object", "properties": {"n": {"type": "integer", "minimum": 1},
        "s": {"type": "string", "pattern": "^(a|a)*$"}}, "required": ["n"], "additionalProperties": false}"""
    outcome = await run(Probe(spec=ToolSpec("probe", "d", schema)), scene, arguments)
    assert outcome.status == "error"
    assert said in outcome.text
    assert len(outcome.text) < 1000


async def test_unknown_tools_are_answered_with_the_nearest(scene: Scene) -> None:
    registry = Registry()
    registry.add(Probe())
    assert "Did you mean 'probe'" in (await registry.run(ToolCall("1", "prob", "{}"), scene)).text
    assert "Known: probe." in (await registry.run(ToolCall("1", "zzz", "{}"), scene)).text


async def test_a_tool_that_hangs_is_timed_out_and_its_thread_is_told(scene: Scene) -> None:
    given_up = threading.Event()

    @dataclass(frozen=True)
    class Wait:
        """Wait."""

    def wait(arguments: Wait, scene: Scene) -> ToolResult:
        scene.stop.wait(10)
        given_up.set()
        return ToolResult("late")

    registry = Registry()
    registry.add(typed_tool(wait, limits=ToolLimits(time_s=0.05)))
    outcome = await registry.run(ToolCall("1", "wait", "{}"), scene)
    assert outcome == ToolOutcome("error", "wait did not answer within 0.05 s.")
    assert await asyncio.to_thread(given_up.wait, 5)


async def test_cancelling_passes_through(scene: Scene) -> None:
    started = asyncio.Event()

    async def hang(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(run(Probe(hang), scene))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def crash(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
    raise KeyError("secret detail")


async def escape(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
    raise OutsideWorkspace("'x' is outside the workspace.")


async def give_nonsense(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
    return 42  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        (crash, ToolOutcome("error", "probe failed: KeyError.")),
        (escape, ToolOutcome("refused", "'x' is outside the workspace.")),
        (give_nonsense, ToolOutcome("error", "probe gave no result of the right kind.")),
    ],
)
async def test_misbehaviour_becomes_an_outcome(scene: Scene, work: Work, outcome: ToolOutcome) -> None:
    assert await run(Probe(work), scene) == outcome


async def test_a_plain_function_that_exits_ends_only_itself(scene: Scene) -> None:
    @dataclass(frozen=True)
    class Leave:
        """Leave."""

    def leave(arguments: Leave, scene: Scene) -> ToolResult:
        raise SystemExit(1)

    registry = Registry()
    registry.add(typed_tool(leave))
    assert (await registry.run(ToolCall("1", "leave", "{}"), scene)).status == "error"


async def test_fifty_megabytes_are_cut_with_a_note(scene: Scene) -> None:
    async def talk(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        return ToolResult("word " * 10_000_000)

    outcome = await run(Probe(talk), scene)
    assert outcome.status == "ok"
    assert len(outcome.text) < 1100
    assert outcome.text.endswith("[1,000 of 50,000,000 characters shown]")


async def test_secrets_in_results_are_taken_out(scene: Scene) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"

    async def tell(arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        return ToolResult(f"github_token = '{token}'")

    assert token not in (await run(Probe(tell), scene)).text


async def test_tools_that_are_off_are_neither_offered_nor_run(scene: Scene) -> None:
    registry = Registry()
    registry.add(Probe(consent="off"))
    assert registry.specs() == ()
    assert (await registry.run(ToolCall("1", "probe", "{}"), scene)).status == "refused"


async def test_without_anyone_to_ask_what_needs_consent_is_refused(scene: Scene) -> None:
    assert await run(Probe(consent="ask"), scene) == ToolOutcome("refused", "The user did not allow probe.")


class Kept:
    """Decisions in memory."""

    def __init__(self) -> None:
        self.made: dict[str, bool] = {}

    def recall(self, tool: str) -> bool | None:
        return self.made.get(tool)

    def remember(self, tool: str, allowed: bool) -> None:
        self.made[tool] = allowed


@pytest.mark.parametrize(
    ("consent", "answered", "runs", "asked_again", "kept"),
    [
        ("ask", "once", True, True, {}),
        ("ask", "always", True, False, {"probe": True}),
        ("ask", "no", False, True, {}),
        ("ask", "never", False, False, {"probe": False}),
        ("ask_each", "always", True, True, {}),
    ],
)
async def test_answers_hold_as_long_as_they_say(
    scene: Scene, consent: Consent, answered: Answer, runs: bool, asked_again: bool, kept: dict[str, bool]
) -> None:
    questions: list[ConsentQuestion] = []

    async def ask(question: ConsentQuestion) -> Answer:
        questions.append(question)
        return answered

    decisions = Kept()
    registry = Registry()
    registry.add(replace(Probe(), consent=consent))
    permit = remembering(ask, decisions)
    statuses = [(await registry.run(ToolCall("1", "probe", "{}"), scene, permit)).status for _ in range(2)]
    assert statuses == ["ok" if runs else "refused"] * 2
    assert len(questions) == 1 + asked_again
    assert decisions.made == kept
    assert questions[0].may_remember == (consent == "ask")


def test_questions_name_tool_and_arguments_and_stay_short() -> None:
    question = ConsentQuestion("probe", "d", {"path": "a.py", "text": "x" * 10_000}, True)
    assert question.text.startswith('Let the model use probe (path: "a.py", text: "xxx')
    assert len(question.text) < 500
