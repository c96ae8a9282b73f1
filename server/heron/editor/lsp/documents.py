"""The open documents: changed in place by the client's edits, read as frozen snapshots."""

import re
from collections.abc import Sequence

from lsprotocol import types

from heron.editor.document import Document, Position
from heron.editor.lsp.convert import Encoding, to_column, to_text

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")


class OpenDocument:
    """A text kept as lines with their ends, so that an edit costs what it touches and not the whole text.

    The last line has no line end and may be empty.
    """

    def __init__(self, item: types.TextDocumentItem) -> None:
        self.uri, self.version, self.language = item.uri, item.version, item.language_id
        self._lines = _split(to_text(item.text))
        self._snapshot: Document | None = None

    def change(self, change: types.TextDocumentContentChangeEvent, encoding: Encoding) -> None:
        """Apply one change."""
        self._snapshot = None
        text = to_text(change.text)
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self._lines = _split(text)
            return
        start, end = sorted(self._locate(place, encoding) for place in (change.range.start, change.range.end))
        self._splice(start, end, text)

    def snapshot(self) -> Document:
        """The text as it is now; the same object until the next change."""
        if self._snapshot is None or self._snapshot.version != self.version:
            self._snapshot = Document(self.uri, self.version, self.language, "".join(self._lines))
        return self._snapshot

    def _locate(self, place: types.Position, encoding: Encoding) -> Position:
        if place.line >= len(self._lines):
            return Position(len(self._lines) - 1, len(self._lines[-1]))
        return Position(place.line, to_column(self._lines[place.line].rstrip("\r\n"), place.character, encoding))

    def _splice(self, start: Position, end: Position, text: str) -> None:
        first, last = start.line, end.line
        changed = self._lines[first][: start.column] + text + self._lines[last][end.column :]
        if changed.startswith("\n") and first and self._lines[first - 1].endswith("\r"):
            first -= 1  # a line feed put behind a carriage return makes one line end of the two
            changed = self._lines[first] + changed
        replaced = _split(changed)
        if last + 1 < len(self._lines):
            replaced.pop()  # `changed` ends with a line end, so its last line is the document's next
        self._lines[first : last + 1] = replaced


class Documents:
    """All open documents by URI."""

    def __init__(self) -> None:
        self._open: dict[str, OpenDocument] = {}

    def open(self, item: types.TextDocumentItem) -> None:
        """Start to follow a document; one that was open is replaced."""
        self._open[item.uri] = OpenDocument(item)

    def change(
        self,
        identifier: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
        encoding: Encoding,
    ) -> None:
        """Apply changes in order, each to the text the one before left; ignored for a document that is not open."""
        document = self._open.get(identifier.uri)
        if document is None:
            return
        document.version = identifier.version
        for change in changes:
            document.change(change, encoding)

    def close(self, uri: str) -> None:
        self._open.pop(uri, None)

    def snapshots(self) -> tuple[Document, ...]:
        """Frozen snapshots of all of them, in the order they were opened."""
        return tuple(document.snapshot() for document in list(self._open.values()))

    def get(self, uri: str) -> Document | None:
        """A frozen snapshot; None for a document that is not open."""
        document = self._open.get(uri)
        return document.snapshot() if document else None


def _split(text: str) -> list[str]:
    """Lines with their ends; the last has none and may be empty."""
    lines = text.split("\n") if "\r" not in text else None
    if lines is not None:
        return [*(line + "\n" for line in lines[:-1]), lines[-1]]
    found = _LINE.findall(text)
    return found if found and found[-1][-1] not in "\r\n" else [*found, ""]
