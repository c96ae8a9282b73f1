"""Code of one language inside a document of another: scripts and styles in HTML, Vue and Svelte, fences in Markdown.

Read from the text, not from the tree: while one types the tree of the outer language is broken more often than not.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from heron.editor.document import Document, Position
from heron.editor.syntax.languages import find_language

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+#-]*)")
_ELEMENT = re.compile(r"<(script|style)\b([^>]*)>(.*?)(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_LANGUAGE = re.compile(r"""\b(?:lang|type)\s*=\s*["'](?:text/|application/)?(?:x-)?([\w+#-]+)["']""")
_NOT_LINE_END = re.compile(r"[^\r\n]")
_NAMES = {
    **{"script": "javascript", "style": "css", "module": "javascript", "js": "javascript", "jsx": "javascript"},
    **{"ts": "typescript", "tsx": "typescriptreact", "py": "python", "python3": "python", "rs": "rust", "rb": "ruby"},
    **{"sh": "shellscript", "bash": "shellscript", "zsh": "shellscript", "console": "shellscript", "golang": "go"},
    **{"yml": "yaml", "c++": "cpp", "cs": "csharp", "scss": "css", "less": "css"},
}
"""What scripts, styles and fences call languages, where LSP calls them otherwise."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a document, in code points, and the LSP identifier of the language it is in."""

    start: int
    end: int
    language: str


def find_embedded(document: Document, position: Position) -> Document:
    """The document as its embedded language sees it at a position: all else is blank, every place stays where it is.

    The document itself where nothing of a known language is embedded.
    """
    offset = document.offset(position)
    part = next((part for part in read_parts(document) if part.start <= offset <= part.end), None)
    return _blank(document, part) if part is not None else document


def find_script(document: Document) -> Document:
    """A component's script alone, for languages whose files hold one; any other document as it is."""
    language = find_language(document.language, document.uri)
    if language is None or language.name not in ("vue", "svelte"):
        return document
    scripts = [part for part in read_parts(document) if part.language != "css"]
    longest = max(scripts, key=lambda part: part.end - part.start, default=None)
    return _blank(document, longest) if longest is not None else document


def read_parts(document: Document) -> tuple[Part, ...]:
    """What is embedded in a document, in order; nothing in most languages."""
    language = find_language(document.language, document.uri)
    reader = readers().get(language.name) if language is not None else None
    return tuple(part for part in reader(document.text) if find_language(part.language)) if reader else ()


def readers() -> Mapping[str, Callable[[str], Iterator[Part]]]:
    """How each outer language marks what it embeds."""
    return {"html": _read_elements, "vue": _read_elements, "svelte": _read_elements, "markdown": _read_fences}


def _read_elements(text: str) -> Iterator[Part]:
    for match in _ELEMENT.finditer(text):
        told = _LANGUAGE.search(match[2])
        name = (told[1] if told else match[1]).lower()
        yield Part(match.start(3), match.end(3), _NAMES.get(name, name))


def _read_fences(text: str) -> Iterator[Part]:
    """CommonMark 0.31, section 4.5; a fence that is still open goes on to the end."""
    opened, name, start, at = "", "", 0, 0
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line)
        if opened and fence and fence[1].startswith(opened) and not fence[2]:
            yield Part(start, max(start, at - 1), name)
            opened = ""
        elif not opened and fence:
            told = fence[2].lower()
            opened, name, start = fence[1], _NAMES.get(told, told), at + len(line)
        at += len(line)
    if opened:
        yield Part(start, max(start, at), name)


@lru_cache(8)
def _blank(document: Document, part: Part) -> Document:
    """Kept, so that the same part of the same version is the same object, which trees are recognised by."""
    before, inner, after = document.text[: part.start], document.text[part.start : part.end], document.text[part.end :]
    text = "".join([_NOT_LINE_END.sub(" ", before), inner, _NOT_LINE_END.sub(" ", after)])
    return replace(document, language=part.language, text=text)
