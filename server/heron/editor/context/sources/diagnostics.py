"""What compilers and linters say about the cursor's line and those beside it."""

from collections.abc import Iterable

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View

REACH_LINES = 1
MAX_MESSAGE = 200


def find_diagnostics(view: View) -> Iterable[Snippet]:
    """The messages, those of the nearest line first."""
    line = view.position.line
    found = view.scenery.diagnostics(view.document.uri)
    near = sorted((abs(one.range.start.line - line), number) for number, one in enumerate(found))
    for one in (found[number] for distance, number in near if distance <= REACH_LINES):
        message = " ".join(one.message.split())[:MAX_MESSAGE]
        text = f"line {one.range.start.line + 1}: {one.severity}: {message}"
        yield Snippet("diagnostics", view.path, one.range.start.line, one.range.start.line + 1, text)
