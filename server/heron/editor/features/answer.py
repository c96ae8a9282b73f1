"""What a model writes for a context: its text, when it is complete, what is offered of it, and how sure it was."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from heron.editor.context.build import Context
from heron.editor.features.sureness import chance_right
from heron.editor.postprocess.pipeline import finish, is_complete
from heron.wire import Delta, TokenLogprob, Usage


@dataclass(slots=True)
class Answer:
    """Fed with deltas by `take`; `text` begins with the indentation that the prompt assumed."""

    context: Context
    text: str = field(init=False)
    usage: Usage | None = None
    _logprobs: list[TokenLogprob] = field(default_factory=list)
    _ran_out: bool = False
    _finished: tuple[int, str | None] = (-1, None)

    def __post_init__(self) -> None:
        self.text = self.context.lead

    def take(self, delta: Delta) -> bool:
        """Add a delta; true if nothing that may still come would be kept."""
        self.text += delta.text
        self.usage = delta.usage or self.usage
        self._logprobs += delta.logprobs
        self._ran_out = delta.finish_reason == "length"
        return is_complete(self.text, self.context)

    def finish(self) -> str | None:
        """What is offered of it; None is silence."""
        if self._finished[0] != len(self.text):
            text = _whole_lines(self.text) if self._ran_out else self.text
            self._finished = len(self.text), finish(text, self.context)
        return self._finished[1]

    @property
    def chance(self) -> float | None:
        """How likely what is offered is right; None if that is not known."""
        return chance_right(self.logprobs(self.finish() or ""))

    def logprobs(self, kept: str) -> list[float]:
        """Log probabilities of the tokens that make up what was kept; empty where the server told none."""
        values: list[float] = []
        left = len(kept) - len(self.context.lead)
        for token in self._logprobs:
            if left <= 0:
                break
            values.append(token.logprob)
            left -= len(token.text)
        return values


async def read_answer(deltas: AsyncGenerator[Delta, None], context: Context) -> Answer:
    """A whole answer; the stream is closed as soon as it is complete."""
    answer = Answer(context)
    async with aclosing(deltas):
        async for delta in deltas:
            if answer.take(delta):
                break
    return answer


def _whole_lines(text: str) -> str:
    """The text without a last line that the limit of tokens broke off, unless it is the only one."""
    return text[: text.rfind("\n")] if "\n" in text.strip() else text
