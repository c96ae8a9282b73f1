"""Where snippets come from: one source a file, each on its own and each with a time limit it is not asked about."""

from collections.abc import Iterable
from typing import Protocol

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View


class Source(Protocol):
    """Snippets for a cursor, the likeliest first. Called in a thread; may block, and is given up when it is late."""

    def __call__(self, view: View) -> Iterable[Snippet]: ...
