"""Fixes that need no model: a misspelt name, a module that was not imported, what a compiler itself proposes."""

import difflib
import re
import sys
from collections import Counter

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Edit, Position, Range
from heron.editor.features.actions.imports import insert_import
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.syntax.lexical import read_text

_UNKNOWN = re.compile(
    r"(?:undefined(?: name| variable|:)?|unresolved (?:reference|name)|cannot find (?:name|value|symbol|function|type)"
    r"|is not defined|not found in this scope|has no attribute|does not exist on)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"'`‘“](?P<name>[A-Za-z_$][\w$]*)[\"'`’”]")
_PROPOSED = re.compile(r"[Dd]id you mean:? (?:the \w+ )?[\"'`‘“]?(?P<name>[A-Za-z_$][\w$]*)")
_BARE = re.compile(r"undefined: (?P<name>[A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_CLOSE = 0.75


def find_known_fix(spot: Spot, diagnostic: Diagnostic) -> Proposal | None:
    """A fix that follows from the message and the document; None if none does, or it would not parse."""
    if not _UNKNOWN.search(diagnostic.message):
        return None
    name = _unknown_name(spot, diagnostic)
    if not name:
        return None
    found = _replace_name(spot, diagnostic, name) or _import_module(spot, name)
    if found is None or spot.tree is None or find_fault(spot.tree, found.changes[0].edits):
        return None
    return found


def _unknown_name(spot: Spot, diagnostic: Diagnostic) -> str:
    """The name the message quotes and the line holds."""
    line = spot.document.line(diagnostic.range.start.line)
    quoted = [match["name"] for match in (*_QUOTED.finditer(diagnostic.message), *_BARE.finditer(diagnostic.message))]
    words = set(_WORD.findall(line))
    return next((name for name in reversed(quoted) if name in words and name != _proposed(diagnostic)), "")


def _proposed(diagnostic: Diagnostic) -> str:
    match = _PROPOSED.search(diagnostic.message)
    return match["name"] if match else ""


def _replace_name(spot: Spot, diagnostic: Diagnostic, name: str) -> Proposal | None:
    better = _proposed(diagnostic) or _nearest(spot, name)
    if not better or better == name:
        return None
    line = spot.document.line(diagnostic.range.start.line)
    places = [m.start() for m in re.finditer(rf"(?<![\w$]){re.escape(name)}(?![\w$])", line)]
    column = min(places, key=lambda place: abs(place - diagnostic.range.start.column))
    number = diagnostic.range.start.line
    place = Range(Position(number, column), Position(number, column + len(name)))
    return change_document(spot.document, f"Change {name} to {better}", (Edit(place, better),))


def _nearest(spot: Spot, name: str) -> str:
    """A name of the document so much like it that it is taken for misspelt: used elsewhere, itself used once."""
    text = spot.document.text
    plain = read_text(text, spot.language)
    counts = Counter(m.group() for m in _WORD.finditer(text) if not plain.is_plain(m.start()))
    if counts[name] > 1 or len(name) < 3:
        return ""
    others = [word for word, count in counts.items() if word != name and count >= 1 and len(word) > 2]
    close = difflib.get_close_matches(name, others, 2, _CLOSE)
    return close[0] if close else ""


def _import_module(spot: Spot, name: str) -> Proposal | None:
    """`import name` for a module of Python's standard library."""
    if spot.language is None or spot.language.name != "python" or name not in sys.stdlib_module_names:
        return None
    edit = insert_import(spot.document, spot.language, f"import {name}")
    return change_document(spot.document, f"Import {name}", (edit,)) if edit else None
