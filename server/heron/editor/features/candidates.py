"""Several answers for one place: drawn at random beside the likeliest one, and put in order by how well they fit."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from heron.editor.context.build import Context
from heron.editor.features.answer import Answer, read_answer
from heron.editor.features.infill import Asking, make_infill
from heron.editor.features.source import TokenSource
from heron.editor.features.sureness import chance_right
from heron.editor.postprocess.missing_names import missing_names, unknown_names
from heron.errors import HeronError
from heron.wire import ModelInfo

logger = logging.getLogger(__name__)

TEMPERATURE = 0.7
PATIENCE_S = 4.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that could be inserted. `lacking` names are read by it or by the code below it, and defined nowhere."""

    text: str
    lacking: int
    mean_logprob: float
    chance: float | None = None
    """How likely it is right, if that is known."""

    @property
    def fits(self) -> bool:
        return not self.lacking


def judge(answer: Answer) -> Candidate | None:
    """What an answer offers; None if that is nothing."""
    text = answer.finish()
    if text is None:
        return None
    values = answer.logprobs(text)
    gap = answer.context.gap
    lacking = len(missing_names(text, gap)) + len(unknown_names(text, gap))
    return Candidate(text, lacking, sum(values) / len(values) if values else 0.0, chance_right(values))


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Different texts only, the one that fits best first; among equals the one the model was surest of."""
    found: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: (one.lacking, -one.mean_logprob)):
        found.setdefault(candidate.text, candidate)
    return list(found.values())


async def draw(source: TokenSource, model: ModelInfo, context: Context, asking: Asking, count: int) -> list[Candidate]:
    """So many further answers at once, those that come within a time; failures are left out."""
    streams = [
        source.complete(make_infill(model, context, asking.drawn(TEMPERATURE, seed))) for seed in range(1, count + 1)
    ]
    tasks = [asyncio.create_task(read_answer(deltas, context)) for deltas in streams]
    try:
        await asyncio.wait(tasks, timeout=PATIENCE_S)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    judged = [judge(answer) for answer in ended if isinstance(answer, Answer)]
    for error in ended:
        if isinstance(error, HeronError):
            logger.debug("A further candidate failed: %s", error)
    return [candidate for candidate in judged if candidate is not None]
