"""From token bytes to text for the reader: whole characters only, cut at the first stop string."""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class TextDecoder:
    """Joins token bytes into text without ever emitting half a UTF-8 character; bytes that are none become U+FFFD."""

    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )

    def push(self, data: bytes) -> str:
        """Text that is complete with these bytes; a character cut at their end waits for the next."""
        return self._decoder.decode(data)

    def finish(self) -> str:
        """What was held back, as U+FFFD."""
        return self._decoder.decode(b"", final=True)


@dataclass(slots=True)
class StopScanner:
    """Passes text on up to the first stop string, holding back only what could still begin one."""

    stops: tuple[str, ...]
    stopped: bool = False
    _held: str = ""

    def push(self, text: str) -> str:
        """Text that is safe to emit; empty for ever once a stop string was met."""
        if self.stopped:
            return ""
        if not self.stops:
            return text
        text = self._held + text
        end = first_stop(text, self.stops)
        self.stopped = end is not None
        safe = end if end is not None else len(text) - longest_stop_start(text, self.stops)
        self._held = "" if self.stopped else text[safe:]
        return text[:safe]

    def finish(self) -> str:
        """What was held back: no stop string came of it."""
        held, self._held = self._held, ""
        return held


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the stop string that ends first starts: what a reader of one character at a time would meet first."""
    found = [(start + len(stop), start) for stop in stops if (start := text.find(stop)) >= 0]
    return min(found)[1] if found else None


def longest_stop_start(text: str, stops: Sequence[str]) -> int:
    """Length of the longest end of `text` that begins a stop string without completing it."""
    return max((_overlap(text, stop) for stop in stops), default=0)


def _overlap(text: str, stop: str) -> int:
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class TextStream:
    """The text of one answer, token by token: what may be shown now, and whether a stop string ended it."""

    def __init__(self, token_bytes: Callable[[int], bytes], stops: tuple[str, ...], num_hidden: int = 0) -> None:
        """`num_hidden` bytes at the beginning are the reader's own: they are not shown, and no stop string has part."""
        self._token_bytes = token_bytes
        self._num_hidden = num_hidden
        self._decoder = TextDecoder()
        self._scanner = StopScanner(stops)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was met; nothing more is to come."""
        return self._scanner.stopped

    def push(self, token_id: int) -> str:
        """Text that this token lets out; special tokens have no bytes and so no text."""
        data = self._token_bytes(token_id)
        shown = data[self._num_hidden :]
        self._num_hidden -= len(data) - len(shown)
        return self._scanner.push(self._decoder.push(shown))

    def finish(self) -> str:
        """What was held back, now that no token follows."""
        return self._scanner.push(self._decoder.finish()) + self._scanner.finish()
