"""From what the sources found to what a prompt shows of other files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heron.editor.context.choose import Allowance, choose, look_near
from heron.editor.context.gather import ESSENTIAL, Gathered
from heron.editor.context.layout import render_snippets
from heron.editor.context.rank import fuse
from heron.editor.context.snippet import Choice, Snippet, SourceName
from heron.editor.context.sources.changes import find_changes
from heron.editor.context.sources.definitions import find_definitions
from heron.editor.context.sources.diagnostics import find_diagnostics
from heron.editor.context.sources.members import find_members
from heron.editor.context.sources.opened import find_opened
from heron.editor.context.sources.recent import find_recent
from heron.editor.context.sources.sibling import find_sibling
from heron.editor.context.sources.similar import find_similar
from heron.editor.context.sources.source import Source
from heron.editor.context.view import View
from heron.editor.syntax.languages import find_language
from heron.editor.workspace.redact import redact

WEIGHTS: Mapping[str, float] = {
    **{"diagnostics": 2.0, "members": 2.0, "definitions": 1.0, "sibling": 0.6},
    **{"recent": 0.5, "similar": 0.5, "open": 0.4, "changes": 0.4, "graph": 0.3},
}


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a prompt shows of other places: `text`, ready for the prompt, and what it is made of."""

    text: str = ""
    choices: tuple[Choice, ...] = ()
    is_partial: bool = False
    """A source that matters was late: it will be asked again."""


def sources() -> Mapping[SourceName, Source]:
    """All sources, in the order in which they are asked: what matters most first, what takes longest last."""
    return {
        "diagnostics": find_diagnostics,
        "members": find_members,
        "definitions": find_definitions,
        "sibling": find_sibling,
        "recent": find_recent,
        "open": find_opened,
        "changes": find_changes,
        "similar": find_similar,
    }


def assemble(view: View, gathered: Gathered, allowance: Allowance) -> Beyond:
    """Rank, choose and lay out. No IO."""
    found = gathered.found
    orders: dict[str, Sequence[Snippet]] = dict(found.items())
    orders["graph"] = order_by_graph(view, found)
    choices = choose(fuse(orders, WEIGHTS), look_near(view.document, view.position), allowance)
    language = find_language(view.document.language, view.document.uri)
    shown = [(view.index.workspace.relative(one.snippet.path), one.snippet) for one in choices]
    return Beyond(redact(render_snippets(shown, language)), tuple(choices), bool(gathered.late & ESSENTIAL))


def order_by_graph(view: View, found: Mapping[SourceName, Sequence[Snippet]]) -> list[Snippet]:
    """What lies in files that matter to the one in front, those that matter most first."""
    known = [one for some in found.values() for one in some if str(one.path) in view.ranks]
    return sorted(known, key=lambda one: -view.ranks[str(one.path)])
