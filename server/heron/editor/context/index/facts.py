"""What the index keeps of one file, read from its text alone."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heron.editor.context.index.words import split_name, split_words
from heron.editor.document import Document
from heron.editor.syntax.embedded import find_script
from heron.editor.syntax.imports import Import, read_imports
from heron.editor.syntax.languages import Language, find_language
from heron.editor.syntax.names import read_names
from heron.editor.syntax.tags import Tag, read_tags
from heron.editor.syntax.tree import parse
from heron.editor.workspace.redact import redact

CHUNK_LINES = 50
MIN_CHUNK_LINES = 12
MAX_TAGS = 5_000
MAX_INDEXED_LINES = 50_000

SymbolRow = tuple[str, str, int, int, int, int, str, str, str]
"""Name, kind, start line and column, end line and column, signature, container, doc."""
ImportRow = tuple[str, str, str, int]
"""Module, name, alias, line."""
ChunkRow = tuple[int, int, str]
"""First line, line after the last, words."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows for the index. `names` are those used in the file with their lines, packed by `pack_names`."""

    language: str
    symbols: tuple[SymbolRow, ...]
    imports: tuple[ImportRow, ...]
    names: bytes
    chunks: tuple[ChunkRow, ...]


def read_facts(document: Document) -> Facts:
    """The facts of a document; a text without grammar, or one that cannot be parsed in time, has only its words."""
    code = find_script(document)
    language = find_language(code.language, code.uri)
    tree = parse(code) if language is not None and is_indexed(language) else None
    if tree is None:
        return Facts(language.name if language else "", (), (), b"", _cut_chunks(document, ()))
    tags = read_tags(tree)[:MAX_TAGS]
    return Facts(
        language=tree.language.name,
        symbols=tuple(_symbol_row(tag) for tag in tags),
        imports=tuple(row for one in read_imports(tree) for row in _import_rows(one)),
        names=pack_names(read_names(tree)),
        chunks=_cut_chunks(document, tags),
    )


def is_indexed(language: Language) -> bool:
    """Whether a language has names worth keeping; data is only searched as text."""
    return language.is_code or language.name in ("markdown", "html")


def pack_names(names: Mapping[str, Sequence[int]]) -> bytes:
    """Each name with its lines between line ends, so that one can be looked up without reading the others."""
    text = "".join(f"\n{name}\t{' '.join(map(str, lines))}" for name, lines in names.items())
    return zlib.compress(f"{text}\n".encode("utf-8", "replace"), 1)


def find_lines(packed: bytes, name: str) -> list[int]:
    """The lines on which packed names have one, a line for each time; empty if they do not have it."""
    text = zlib.decompress(packed) if packed else b""
    start = text.find(f"\n{name}\t".encode("utf-8", "replace"))
    if start < 0:
        return []
    start = text.index(b"\t", start) + 1
    return [int(line) for line in text[start : text.index(b"\n", start)].split()]


def symbol_words(name: str) -> str:
    """What a symbol is found by besides its name: its parts, and their initials."""
    parts = split_name(name)
    initials = "".join(part[0] for part in parts) if len(parts) > 1 else ""
    return " ".join((name.lower(), *parts, initials))


def _symbol_row(tag: Tag) -> SymbolRow:
    start, end = tag.range.start, tag.range.end
    place = (start.line, start.column, end.line, end.column)
    return (tag.name, tag.kind, *place, redact(tag.signature), tag.container, redact(tag.doc))


def _import_rows(one: Import) -> list[ImportRow]:
    return [(one.module, name, one.alias, one.range.start.line) for name in one.names or ("",)]


def _cut_chunks(document: Document, tags: tuple[Tag, ...]) -> tuple[ChunkRow, ...]:
    """Pieces of about `CHUNK_LINES`, which begin where a definition does if one does nearby."""
    starts = {tag.range.start.line for tag in tags}
    borders, last = [0], min(document.num_lines, MAX_INDEXED_LINES)
    for line in range(1, last):
        length = line - borders[-1]
        if length >= CHUNK_LINES or (length >= MIN_CHUNK_LINES and line in starts):
            borders.append(line)
    chunks = [(start, end, _chunk_words(document, start, end)) for start, end in pairwise([*borders, last])]
    return tuple(chunk for chunk in chunks if chunk[2])


def _chunk_words(document: Document, start: int, end: int) -> str:
    """Words of some lines, led by those of the file's name; empty if the lines have none."""
    starts = document.line_starts
    words = split_words(document.text[starts[start] : starts[end] if end < len(starts) else len(document.text)])
    return f"{split_words(document.uri.rpartition('/')[2])} {words}" if words else ""
