"""The tool `symbol_search`."""

from dataclasses import dataclass

from heron.editor.context.index.symbol import Symbol
from heron.editor.tools.arguments import argument
from heron.editor.tools.indexed import need_index
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.editor.tools.visible import show_path
from heron.editor.workspace.uris import uri_of_path

MAX_SYMBOLS = 20
_DOC_CHARS = 120


@dataclass(frozen=True, slots=True)
class SymbolSearch:
    """Find where a class, function or other symbol is defined, by its name or a part of it."""

    query: str = argument("Name of the symbol")


def symbol_search(arguments: SymbolSearch, scene: Scene) -> ToolResult:
    """The best fitting first: place, signature, and the first line of the documentation."""
    found = need_index(scene).find_symbols(arguments.query, MAX_SYMBOLS)
    shown = [(path, symbol) for symbol in found if (path := show_path(scene, symbol.path))]
    lines = [_describe(path, symbol) for path, symbol in shown]
    references = tuple(Reference(path, uri_of_path(symbol.path), symbol.range) for path, symbol in shown)
    return ToolResult("\n".join(lines) or f"No symbol is like {arguments.query!r}.", references)


def _describe(path: str, symbol: Symbol) -> str:
    lines = f"{path}:{symbol.range.start.line + 1}-{symbol.range.end.line + 1}"
    inside = f" in {symbol.container}" if symbol.container else ""
    doc = symbol.doc.strip().partition("\n")[0][:_DOC_CHARS]
    return f"{lines}: {symbol.signature or f'{symbol.kind} {symbol.name}'}{inside}" + (f" — {doc}" if doc else "")
