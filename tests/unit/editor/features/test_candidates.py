from collections.abc import AsyncGenerator

from heron.editor.client.client import Infill
from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.features.answer import read_answer
from heron.editor.features.candidates import Candidate, draw, in_order, judge
from heron.editor.features.infill import Asking
from heron.editor.features.sureness import chance_right
from heron.errors import Overloaded
from heron.wire import Delta, ModelInfo, TokenLogprob

MODEL = ModelInfo("m", 4096, supports_fim=True)


def context(marked: str = "def f(x):\n    │\n    return total\n") -> Context:
    document = Document("file:///a.py", 1, "python", marked.replace("│", ""))
    return build_context(document, document.position(marked.index("│")), None, Budget(500, 100, len))


class Source:
    """Answers by seed; an error is raised."""

    def __init__(self, *answers: str | Overloaded) -> None:
        self._answers = answers
        self.asked: list[Infill] = []

    async def model(self) -> ModelInfo:
        return MODEL

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.asked.append(infill)
        answer = self._answers[infill.seed - 1]
        if isinstance(answer, Overloaded):
            raise answer
        yield Delta(answer, logprobs=(TokenLogprob(answer, 1, -0.5),), finish_reason="stop")


def test_what_goes_with_the_code_below_comes_first_then_what_is_likelier() -> None:
    unfit, likely, unlikely = Candidate("a", 1, -0.1), Candidate("b", 0, -0.2), Candidate("c", 0, -0.9)
    assert in_order([unfit, unlikely, likely, Candidate("c", 0, -0.8)]) == [
        likely,
        Candidate("c", 0, -0.8),
        unfit,
    ]


async def test_an_answer_is_judged_by_names_and_sureness() -> None:
    source = Source("count = x\n", "total = x\n")
    found = await draw(source, MODEL, context(), Asking(16), 2)
    chance = chance_right([-0.5])
    assert found == [Candidate("count = x", 1, -0.5, chance), Candidate("total = x", 0, -0.5, chance)]
    assert [(infill.seed, infill.temperature > 0) for infill in source.asked] == [(1, True), (2, True)]


async def test_failures_and_silence_are_left_out() -> None:
    source = Source(Overloaded("full", retry_after_s=1), "", "total = x\n")
    assert [candidate.text for candidate in await draw(source, MODEL, context(), Asking(16), 3)] == ["total = x"]


async def test_assumed_indentation_is_part_of_the_answer() -> None:
    lacking = context("def f(x):\n│\n    return total\n")

    async def deltas() -> AsyncGenerator[Delta, None]:
        yield Delta("total = x\n", logprobs=(TokenLogprob("total = x\n", 1, -0.25),), finish_reason="stop")

    answer = await read_answer(deltas(), lacking)
    assert judge(answer) == Candidate("    total = x", 0, -0.25, chance_right([-0.25]))
