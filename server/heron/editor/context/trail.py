"""Where the user has been: the last places edited or visited, each with the text it had then."""

from dataclasses import dataclass

from heron.editor.context.words_near import likeness, words_of
from heron.editor.document import Document

KEPT = 16
REACH_LINES = 6
"""Lines on each side that belong to a place."""
SAME_PLACE_LINES = 12
SAME_TEXT = 0.6
"""Places as much alike as this are one."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some lines of a document as they were, the first of them number `start`."""

    uri: str
    start: int
    text: str
    words: frozenset[str]


class Trail:
    """The last places, the newest first."""

    def __init__(self) -> None:
        self._regions: tuple[Region, ...] = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        return self._regions

    def note(self, document: Document, line: int) -> None:
        """The cursor is on a line; a place that is near the newest one or says the same takes its stead."""
        start, end = max(0, line - REACH_LINES), min(document.num_lines, line + REACH_LINES + 1)
        text = "\n".join(document.line(number) for number in range(start, end))
        if not text.strip():
            return
        region = Region(document.uri, start, text, words_of(text))
        kept = [one for one in self._regions if not _is_same(one, region)]
        self._regions = (region, *kept)[:KEPT]


def _is_same(one: Region, newer: Region) -> bool:
    is_near = one.uri == newer.uri and abs(one.start - newer.start) < SAME_PLACE_LINES
    return is_near or likeness(one.words, newer.words) > SAME_TEXT
