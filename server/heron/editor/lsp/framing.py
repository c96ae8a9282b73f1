"""LSP's base protocol as a parser without IO: bytes in, message bodies and faults out, in order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BODY_BYTES = 256 << 20
"""Longer messages are skipped: a 50 MB document, every character escaped, still fits."""
_MAX_SKIP_BYTES = 64 << 30
"""A longer announced body is taken for a broken stream: waiting for its end would swallow all later messages."""
_MAX_HEADER_BYTES = 1 << 16
# Searched, not matched: after a body of unknown length the next header follows it on the same line.
_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,30})[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the stream, as a sentence; after a `fatal` one no message border can be found again."""

    message: str
    fatal: bool = False


class Framer:
    """Cut a byte stream into bodies. Header names in any case, lines ended by CRLF or LF, other headers ignored."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body_bytes: int | None = None
        self._skip_bytes = 0
        self._in_header = False

    def feed(self, data: bytes) -> Iterator[bytes | Fault]:
        """Bodies and faults completed by `data`. To be consumed before the next call."""
        self._buffer += data
        while (item := self._step()) is not None:
            if item:
                yield item

    def _step(self) -> bytes | Fault | None:
        """Take one thing off the buffer: b"" if it was no message, None if more bytes are needed."""
        if self._skip_bytes:
            return self._skip()
        if self._body_bytes is not None and not self._in_header:
            return self._take_body(self._body_bytes)
        return self._take_line()

    def _skip(self) -> bytes | None:
        skipped = min(self._skip_bytes, len(self._buffer))
        del self._buffer[:skipped]
        self._skip_bytes -= skipped
        return b"" if skipped else None

    def _take_body(self, length: int) -> bytes | Fault | None:
        if length > MAX_BODY_BYTES:
            return self._refuse(length)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._body_bytes = None
        return body or Fault("The message is empty.")

    def _refuse(self, length: int) -> Fault:
        self._body_bytes, self._skip_bytes = None, length
        said = f"The message of {length} bytes is over the limit of {MAX_BODY_BYTES} bytes."
        return Fault(said, fatal=length > _MAX_SKIP_BYTES)

    def _take_line(self) -> bytes | Fault | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._check_header_length()
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return self._read_header(line)

    def _check_header_length(self) -> Fault | None:
        if len(self._buffer) <= _MAX_HEADER_BYTES:
            return None
        del self._buffer[:-64]
        return Fault("The header line is too long.")

    def _read_header(self, line: bytes) -> bytes | Fault:
        if line:
            self._in_header = True
            if match := _CONTENT_LENGTH.search(line):
                self._body_bytes = int(match[1])
            return b""
        missing = self._in_header and self._body_bytes is None
        self._in_header = False
        return Fault("The header has no valid Content-Length.") if missing else b""


def frame(body: bytes) -> bytes:
    """A body with its header."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
