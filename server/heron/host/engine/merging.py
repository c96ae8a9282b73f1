"""Deltas of neighbouring steps passed on as one, where nobody waits for each: every message costs all who handle it.

A chat is read by a person, who sees no difference; a completion is judged token by token, and is never held.
"""

import time
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Several

from heron.errors import HeronError
from heron.host.engine.sequence import PRIORITIES, Sequence
from heron.wire import Delta

INTERVAL_S = 0.05
"""How long a delta may be held: twenty pieces a second are read as a stream."""
_JUDGED = PRIORITIES.index("completion")

Outcome = tuple[Sequence, Delta | HeronError]


class Merger:
    """Takes what came of each step and tells what is to be passed on now.

    An answer's first and last delta never wait, and an error comes after all the text before it.
    """

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._clock = interval_s, clock
        self._held: dict[Sequence, list[Delta]] = {}
        self._flushed_s = clock()

    def take(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """What is due of these and of those that are held. All that waits goes together, so it wakes readers once."""
        due: list[Outcome] = []
        for sequence, outcome in outcomes:
            due += self._sort(sequence, outcome)
        return due + self.flush() if self._clock() - self._flushed_s >= self._interval_s else due

    def flush(self) -> list[Outcome]:
        """All that is held."""
        held, self._held, self._flushed_s = self._held, {}, self._clock()
        return [(sequence, join_deltas(deltas)) for sequence, deltas in held.items()]

    def drop(self, sequence: Sequence) -> None:
        """Forget what is held of an answer nobody waits for."""
        self._held.pop(sequence, None)

    def _sort(self, sequence: Sequence, outcome: Delta | HeronError) -> list[Outcome]:
        if isinstance(outcome, HeronError):
            held = self._held.pop(sequence, [])
            return [(sequence, join_deltas(held)), (sequence, outcome)] if held else [(sequence, outcome)]
        deltas = self._held.setdefault(sequence, [])
        deltas.append(outcome)
        if sequence.lane != _JUDGED and not _is_first(outcome) and outcome.finish_reason is None:
            return []
        return [(sequence, join_deltas(self._held.pop(sequence)))]


def join_deltas(deltas: Several[Delta]) -> Delta:
    """Deltas that follow one another, at least one, as one."""
    if len(deltas) == 1:
        return deltas[0]
    return Delta(
        text="".join(delta.text for delta in deltas),
        token_ids=tuple(token_id for delta in deltas for token_id in delta.token_ids),
        logprobs=tuple(logprob for delta in deltas for logprob in delta.logprobs),
        finish_reason=deltas[-1].finish_reason,
        usage=deltas[-1].usage,
        tool_calls=tuple(call for delta in deltas for call in delta.tool_calls),
    )


def _is_first(delta: Delta) -> bool:
    """Whether the answer had no token before."""
    return delta.usage is None or delta.usage.completion_tokens <= len(delta.token_ids)
