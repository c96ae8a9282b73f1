"""Server-sent events as a parser without IO: bytes in, the data of each event out. WHATWG HTML, section 9.2."""

import re
from collections.abc import Iterator

# Not `splitlines`: JSON may carry U+2028 and other characters that end a line for Python alone. A last "\r" waits for
# the "\n" that may follow.
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


class EventParser:
    """Take any line ends and any cut of the stream; comments, names and ids of events are ignored."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Data of the events completed by `chunk`. To be consumed before the next call."""
        self._buffer += chunk
        start = 0
        for end in _LINE_END.finditer(self._buffer):
            if data := self._read(self._buffer[start : end.start()]):
                yield data.decode("utf-8", "replace")
            start = end.end()
        self._buffer = self._buffer[start:]

    def _read(self, line: bytes) -> bytes:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif not line:
            data, self._data = b"\n".join(self._data), []
            return data
        return b""
