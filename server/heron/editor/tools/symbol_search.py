"""The tool `symbol_search`."""

import re
from dataclasses import dataclass

from heron.editor.context.index.symbol import Symbol
from heron.editor.tools.arguments import argument
from heron.editor.tools.indexed import need_index
from heron.editor.tools.texts import find_text
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.editor.tools.visible import show_path
from heron.editor.workspace.uris import uri_of_path
from heron.errors import HeronError

MAX_SYMBOLS = 20
MAX_LIKE = 4
"""Symbols of other names that are told beside those of the very name."""
MAX_CODE_LINES = 40
_DOC_CHARS = 120
_SEPARATOR = re.compile(r"\.|::")


@dataclass(frozen=True, slots=True)
class SymbolSearch:
    """Find where a class, function or other symbol is defined, by its name or a part of it. Shows its code."""

    query: str = argument("Name of the symbol")


def symbol_search(arguments: SymbolSearch, scene: Scene) -> ToolResult:
    """The best fitting first: place, signature, the first line of the documentation; then the code of the first."""
    found = need_index(scene).find_symbols(arguments.query, MAX_SYMBOLS)
    shown = [(path, symbol) for symbol in _choose(arguments.query, found) if (path := show_path(scene, symbol.path))]
    if not shown:
        return ToolResult(f"No symbol is like {arguments.query!r}.", ())
    lines = [_describe(path, symbol) for path, symbol in shown]
    references = tuple(Reference(path, uri_of_path(symbol.path), symbol.range) for path, symbol in shown)
    return ToolResult("\n".join([*lines, *_read_code(scene, *shown[0])]), references)


def _choose(query: str, found: tuple[Symbol, ...]) -> list[Symbol]:
    """Those of the very name first, in the container that is named if one has it, then a few that are like it."""
    *containers, last = _SEPARATOR.split(query.strip().removesuffix("()"))
    same = [symbol for symbol in found if symbol.name == last]
    if containers:
        same = [symbol for symbol in same if containers[-1] in _SEPARATOR.split(symbol.container)] or same
    others = [symbol for symbol in found if symbol.name != last]
    return same + others[:MAX_LIKE] if same else others


def _describe(path: str, symbol: Symbol) -> str:
    lines = f"{path}:{symbol.range.start.line + 1}-{symbol.range.end.line + 1}"
    inside = f" in {symbol.container}" if symbol.container else ""
    doc = symbol.doc.strip().partition("\n")[0][:_DOC_CHARS]
    return f"{lines}: {symbol.signature or f'{symbol.kind} {symbol.name}'}{inside}" + (f" — {doc}" if doc else "")


def _read_code(scene: Scene, path: str, symbol: Symbol) -> list[str]:
    """A symbol's lines below its place, the first of many; nothing where its file cannot be read any more."""
    try:
        document = find_text(scene, path).document
    except HeronError:
        return []
    first, end = symbol.range.start.line, min(symbol.range.end.line + 1, document.num_lines)
    last = min(end, first + MAX_CODE_LINES)
    more = [f"[{end - last} more lines]"] if last < end else []
    return ["", f"{path}:{first + 1}-{end}:", *map(document.line, range(first, last)), *more]
