"""Going on with an answer whose worker ended: asked again of the next one, without what was sent already.

An engine gives the same request the same tokens, whatever runs beside it; a sampled request has a seed for that.
So the answer is made again from its beginning, compared with what was sent, and told on from there.
"""

import secrets
from dataclasses import dataclass, field, replace

from heron.errors import WorkerCrashed
from heron.wire import Delta, GenerateRequest


class AnswerChanged(WorkerCrashed):
    """The next worker gave another answer than the one that was sent in part."""


def make_repeatable(request: GenerateRequest) -> GenerateRequest:
    """The request, with a seed if its answer depends on chance."""
    sampling = request.sampling
    if sampling.temperature == 0 or sampling.seed is not None:
        return request
    return replace(request, sampling=replace(sampling, seed=secrets.randbits(63)))


@dataclass(slots=True)
class Replay:
    """What was sent of one answer, over the lives of its workers."""

    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    _text_seen: int = 0
    _tokens_seen: int = 0
    _num_begin: int = 0

    def begin(self) -> None:
        """A worker answers from the beginning."""
        self._text_seen = self._tokens_seen = 0
        self._num_begin = len(self.token_ids)

    @property
    def has_gained(self) -> bool:
        """Whether the present worker brought anything new."""
        return len(self.token_ids) > self._num_begin

    def pass_on(self, delta: Delta) -> Delta | None:
        """What is new in a delta; None if nothing. Raises AnswerChanged if it is not what was sent before."""
        old_text = self.text[self._text_seen : self._text_seen + len(delta.text)]
        old_tokens = self.token_ids[self._tokens_seen : self._tokens_seen + len(delta.token_ids)]
        if delta.text[: len(old_text)] != old_text or list(delta.token_ids[: len(old_tokens)]) != old_tokens:
            raise AnswerChanged("The engine worker ended, and its answer could not be gone on with.", hint="Try again.")
        self._text_seen += len(delta.text)
        self._tokens_seen += len(delta.token_ids)
        fresh = replace(
            delta,
            text=delta.text[len(old_text) :],
            token_ids=delta.token_ids[len(old_tokens) :],
            logprobs=delta.logprobs[len(old_tokens) :],
        )
        self.text += fresh.text
        self.token_ids += fresh.token_ids
        return fresh if fresh.text or fresh.token_ids or fresh.finish_reason or fresh.tool_calls else None
