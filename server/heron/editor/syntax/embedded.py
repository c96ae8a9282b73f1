"""Code of one language inside a document of another: scripts and styles in HTML, Vue and Svelte, fences in Markdown.

Read from the text, not from the tree: while one types the tree of the outer language is broken more often than not.
All of it is asked for at each key, in documents of ten thousand lines, too: expressions begin with a character that
stands for itself, which makes them many times as fast.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from heron.editor.document import Document, Position
from heron.editor.syntax.languages import find_language

_FENCE = re.compile(r"\n[ \t]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+#-]*)")
_OPENED = re.compile(r"<([sS](?i:cript|tyle))\b([^>]*)>")
_CLOSED = {name: re.compile(rf"</(?i:{name})\s*>") for name in ("script", "style")}
_LANGUAGE = re.compile(r"""\b(?:lang|type)\s*=\s*["'](?:text/|application/)?(?:x-)?([\w+#-]+)["']""")
_BLANKS = bytes(byte if byte in b"\r\n" else ord(" ") for byte in range(256))
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


@lru_cache(8)
def read_parts(document: Document) -> tuple[Part, ...]:
    """What is embedded in a document, in order; nothing in most languages."""
    language = find_language(document.language, document.uri)
    reader = readers().get(language.name) if language is not None else None
    return tuple(part for part in reader(document.text) if find_language(part.language)) if reader else ()


def readers() -> Mapping[str, Callable[[str], Iterator[Part]]]:
    """How each outer language marks what it embeds."""
    return {"html": _read_elements, "vue": _read_elements, "svelte": _read_elements, "markdown": _read_fences}


def _read_elements(text: str) -> Iterator[Part]:
    at = 0
    while opened := _OPENED.search(text, at):
        told = _LANGUAGE.search(opened[2])
        name = (told[1] if told else opened[1]).lower()
        closed = _CLOSED[opened[1].lower()].search(text, opened.end())
        yield Part(opened.end(), closed.start() if closed else len(text), _NAMES.get(name, name))
        at = closed.end() if closed else len(text)


def _read_fences(text: str) -> Iterator[Part]:
    """CommonMark 0.31, section 4.5; a fence that is still open goes on to the end."""
    is_old_mac = text.count("\r") > text.count("\r\n")
    lines = "\n" + (text.replace("\r", "\n") if is_old_mac else text)  # a line begins where its line end stands here
    opened, name, start = "", "", 0
    for fence in _FENCE.finditer(lines):
        if opened and fence[1].startswith(opened) and not fence[2]:
            yield Part(start, max(start, fence.start() - 1), name)
            opened = ""
        elif not opened:
            told, end = fence[2].lower(), lines.find("\n", fence.end())
            opened, name, start = fence[1], _NAMES.get(told, told), end if end >= 0 else len(text)
    if opened:
        yield Part(start, max(start, len(text)), name)


@lru_cache(8)
def _blank(document: Document, part: Part) -> Document:
    """Kept, so that the same part of the same version is the same object, which trees are recognised by."""
    before, inner, after = document.text[: part.start], document.text[part.start : part.end], document.text[part.end :]
    return replace(document, language=part.language, text="".join([_blanks(before), inner, _blanks(after)]))


def _blanks(text: str) -> str:
    """The lines of a text with nothing on them. Latin-1 has one byte for each character, "replace" for any other."""
    return text.encode("latin-1", "replace").translate(_BLANKS).decode("latin-1")
