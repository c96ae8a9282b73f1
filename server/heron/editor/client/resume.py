"""Going on with a stream whose server was lost: it is asked again, and what was told already is left out.

Heron's host gives the same question the same answer. A server that does not is found out by what it says first.
"""

from dataclasses import dataclass, replace

from heron.errors import HostUnreachable
from heron.wire import Delta


@dataclass(slots=True)
class Told:
    """What was passed on of one answer, over all the streams that told it."""

    text: str = ""
    num_logprobs: int = 0
    _text_seen: int = 0
    _logprobs_seen: int = 0
    _num_begin: int = 0

    def begin(self) -> None:
        """A stream answers from the beginning."""
        self._text_seen = self._logprobs_seen = 0
        self._num_begin = len(self.text)

    @property
    def has_gained(self) -> bool:
        """Whether the present stream brought anything new."""
        return len(self.text) > self._num_begin

    def pass_on(self, delta: Delta) -> Delta | None:
        """What is new in a delta; None if nothing. Raises HostUnreachable if it is not what was told before."""
        old = self.text[self._text_seen : self._text_seen + len(delta.text)]
        if not delta.text.startswith(old):
            raise HostUnreachable("The model server was lost, and its answer could not be gone on with.")
        num_old = max(0, min(len(delta.logprobs), self.num_logprobs - self._logprobs_seen))
        self._text_seen += len(delta.text)
        self._logprobs_seen += len(delta.logprobs)
        fresh = replace(delta, text=delta.text[len(old) :], logprobs=delta.logprobs[num_old:])
        self.text += fresh.text
        self.num_logprobs += len(fresh.logprobs)
        is_whole = fresh.text == delta.text and len(fresh.logprobs) == len(delta.logprobs)
        has_news = fresh.text or fresh.logprobs or fresh.finish_reason or fresh.tool_calls
        return fresh if is_whole or has_news else None
