"""The fewest whole lines that turn one text into another."""

from difflib import SequenceMatcher

from heron.editor.document import Document, Edit, Range


def minimal_edits(document: Document, text: str) -> tuple[Edit, ...]:
    """Edits of the document that make its text `text`: lines that stay are not touched. Line ends as in `text`."""
    before, after = document.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    edits = []
    for kind, first, last, new_first, new_last in _changes(before, after):
        if kind != "equal":
            place = Range(document.position(starts[first]), document.position(starts[last]))
            edits.append(Edit(place, "".join(after[new_first:new_last])))
    return tuple(edits)


def _changes(before: list[str], after: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Difflib's opcodes, which take quadratic time: only what lies between common head and tail is compared."""
    head = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    room = min(len(before), len(after)) - head
    tail = next((n for n in range(room) if before[-1 - n] != after[-1 - n]), room)
    middle = SequenceMatcher(None, before[head : len(before) - tail], after[head : len(after) - tail], autojunk=False)
    return [(kind, a + head, b + head, c + head, d + head) for kind, a, b, c, d in middle.get_opcodes()]
