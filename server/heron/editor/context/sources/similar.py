"""Code of the workspace that is about the same as the code around the cursor, by BM25 over the index."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View
from heron.editor.context.words_near import best_window, dedent, text_near, words_of
from heron.editor.workspace.opening import read_text
from heron.errors import HeronError

MAX_PASSAGES = 4
MAX_WORDS = 6
"""More make the search slow on a large workspace; each name is also looked for by its parts."""
MAX_SCORED = 2_000
"""Pieces with one of the words; more take longer than there is time."""
LEAST_LIKENESS = 0.12


def find_similar(view: View) -> Iterable[Snippet]:
    """The most alike lines of each of the passages that score best, in their order."""
    near = text_near(view.document, view.position)
    wanted = words_of(near)
    nearest = " ".join(view.scope.names[:MAX_WORDS])
    passages = view.index.search_text(nearest, MAX_PASSAGES + 2, MAX_SCORED)
    for passage in [one for one in passages if one.path != view.path][:MAX_PASSAGES]:
        lines = _read_lines(view, passage.path)[passage.start : passage.end]
        window = best_window(lines, wanted) if lines else None
        if window is not None and window.likeness >= LEAST_LIKENESS:
            start, end = passage.start + window.start, passage.start + window.end
            yield Snippet("similar", passage.path, start, end, dedent(lines[window.start : window.end]))


def _read_lines(view: View, path: Path) -> Sequence[str]:
    """An open document as it is, else the file; nothing if it cannot be read any more."""
    uri = path.as_uri()
    opened = next((one for one in view.scenery.opened() if one.uri == uri), None)
    if opened is not None:
        return [opened.line(number) for number in range(opened.num_lines)]
    try:
        return read_text(view.index.workspace, path).splitlines()
    except HeronError:
        return ()
