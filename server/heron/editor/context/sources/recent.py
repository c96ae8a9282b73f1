"""What was edited or looked at a moment ago in other places."""

from collections.abc import Iterable

from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.opened import shown_path
from heron.editor.context.view import View
from heron.editor.context.words_near import dedent

MAX_REGIONS = 6


def find_recent(view: View) -> Iterable[Snippet]:
    """The last places, the newest first; those of the document in front only where they are away from the cursor."""
    regions = [one for one in view.scenery.regions() if (one.uri, one.start) != (view.document.uri, view.position.line)]
    for region in regions[:MAX_REGIONS]:
        path = shown_path(view, region.uri)
        if path is not None:
            lines = region.text.split("\n")
            yield Snippet("recent", path, region.start, region.start + len(lines), dedent(lines))
