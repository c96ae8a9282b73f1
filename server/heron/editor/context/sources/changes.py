"""What was changed since the last commit in other files: the lines that were added, from a diff made beforehand."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View
from heron.editor.context.words_near import dedent, likeness, text_near, words_of

MAX_LINES = 10
MAX_HUNKS = 200
MAX_SNIPPETS = 4
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,\d+)? @@", re.MULTILINE)


def find_changes(view: View) -> Iterable[Snippet]:
    """Added pieces, those most like the code around the cursor first."""
    wanted = words_of(text_near(view.document, view.position))
    workspace = view.index.workspace
    hunks = read_hunks(view.scenery.changes(), workspace.folders[0])
    found = [one for one, _ in zip(hunks, range(MAX_HUNKS), strict=False)]
    others = [one for one in found if one.path != view.path and not workspace.is_private(one.path)]
    return sorted(others, key=lambda one: -likeness(words_of(one.text), wanted))[:MAX_SNIPPETS]


def read_hunks(diff: str, folder: Path) -> Iterator[Snippet]:
    """What git's unified diff adds to the files below a folder."""
    for part in re.split(r"^diff --git .*\n", diff, flags=re.MULTILINE):
        path = re.search(r"^\+\+\+ b/(.*?)\t?$", part, re.MULTILINE)
        if path is None:
            continue
        pieces = _HUNK.split(part)
        for start, body in zip(pieces[1::2], pieces[2::2], strict=True):
            added = [line[1:] for line in body.split("\n")[1:] if line.startswith("+")][:MAX_LINES]
            if any(line.strip() for line in added):
                first = max(0, int(start) - 1)
                yield Snippet("changes", folder / path[1], first, first + len(added), dedent(added))
