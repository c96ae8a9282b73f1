"""Pieces of other open documents that are most like the code around the cursor."""

from collections.abc import Iterable
from pathlib import Path

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View
from heron.editor.context.words_near import best_window, dedent, text_near, words_of
from heron.editor.workspace.uris import path_of_uri

MAX_DOCUMENTS = 8
MAX_LINES = 3_000
LEAST_LIKENESS = 0.1


def find_opened(view: View) -> Iterable[Snippet]:
    """One piece a document, the most alike first; of the documents those opened last."""
    wanted = words_of(text_near(view.document, view.position))
    found: list[tuple[float, Snippet]] = []
    others = [one for one in view.scenery.opened() if one.uri != view.document.uri and one.num_lines <= MAX_LINES]
    for document in others[-MAX_DOCUMENTS:]:
        path = shown_path(view, document.uri)
        if path is not None:
            lines = [document.line(number) for number in range(document.num_lines)]
            window = best_window(lines, wanted)
            text = dedent(lines[window.start : window.end])
            found.append((window.likeness, Snippet("open", path, window.start, window.end, text)))
    found.sort(key=lambda pair: -pair[0])
    return [snippet for likeness, snippet in found if likeness >= LEAST_LIKENESS]


def shown_path(view: View, uri: str) -> Path | None:
    """The path of a document that may be shown: inside the workspace and not private."""
    path = path_of_uri(uri)
    return path if path is not None and not view.index.workspace.is_private(path) else None
