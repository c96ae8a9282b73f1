"""Where a completion was asked, small enough to keep, and whether typing alone leads from one place to another."""

from dataclasses import dataclass

from heron.editor.document import Document, Position

_BEFORE = 2048
_AFTER = 256
_MAX_TYPED = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor with the text around it, in code points. `rest` is how much follows the cursor in all."""

    offset: int
    rest: int
    before: str
    after: str

    def typed_since(self, earlier: "Place") -> str | None:
        """What was typed at `earlier` to come here, perhaps nothing; None if anything else happened in between.

        Compares the windows and the lengths, not the whole text.
        """
        length = self.offset - earlier.offset
        if not 0 <= length <= _MAX_TYPED or self.rest != earlier.rest or self.after != earlier.after:
            return None
        border = len(self.before) - length
        return self.before[border:] if earlier.before.endswith(self.before[:border]) else None


def find_place(document: Document, position: Position) -> Place:
    offset = document.offset(position)
    text = document.text
    return Place(offset, len(text) - offset, text[max(0, offset - _BEFORE) : offset], text[offset : offset + _AFTER])
