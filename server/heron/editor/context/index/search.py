"""Queries over one database of an index."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from heron.editor.context.index.facts import find_lines
from heron.editor.context.index.rank import Candidate, rank
from heron.editor.context.index.symbol import Occurrence, Passage, Symbol
from heron.editor.context.index.words import match_any, split_name, split_words, telling_words
from heron.editor.document import Position, Range

CANDIDATES = 200
MAX_OCCURRENCE_LINES = 50
MAX_QUERY_WORDS = 24
MAX_GRAMS = 24
MAX_DEFINERS = 8
MAX_CHUNKS = 1_000
"""Pieces of files looked at for a name; more only say that it is everywhere."""
_CANDIDATE = "SELECT s.id, s.name, s.kind, f.path FROM symbols s JOIN files f ON f.id = s.file"

_SYMBOL = """SELECT s.name, s.kind, f.path, s.start_line, s.start_column, s.end_line, s.end_column, s.signature,
    s.container, s.doc FROM symbols s JOIN files f ON f.id = s.file"""


def find_symbols(connection: sqlite3.Connection, query: str, limit: int) -> list[Symbol]:
    """The symbols most likely meant: by name, by its start, by its parts or initials, and by like spelling."""
    found = rank(query, set(_candidates(connection, query)), limit)
    marks = ", ".join("?" * len(found))
    symbols = _symbols(connection, f"s.id IN ({marks})", [one.id for one in found], len(found))
    return rank(query, symbols, limit)


def _candidates(connection: sqlite3.Connection, query: str) -> Iterator[Candidate]:
    lowered = query.lower()
    yield from _named_like(connection, "s.lowered = ?", (lowered,))
    yield from _named_like(connection, "s.lowered > ? AND s.lowered < ?", (lowered, lowered + "\U0010ffff"))
    parts = [part for part in split_name(query) or (lowered,) if '"' not in part]
    if parts:
        prefixes = " AND ".join(f'"{part}" *' for part in parts)
        yield from _named_by_words(connection, "symbol_words", prefixes)
    grams = [lowered[at : at + 3] for at in range(len(lowered) - 2)]
    if grams:
        yield from _named_by_words(connection, "symbol_grams", match_any(grams[:MAX_GRAMS]))


def symbols_named(connection: sqlite3.Connection, names: Sequence[str], limit: int = CANDIDATES) -> Iterator[Symbol]:
    """Symbols of exactly these names."""
    marks = ", ".join("?" * len(names))
    where = f"s.lowered IN ({marks}) AND s.name IN ({marks})"
    yield from _symbols(connection, where, (*(name.lower() for name in names), *names), limit)


def symbols_of_file(connection: sqlite3.Connection, path: str, inside: str, names: Sequence[str]) -> Iterator[Symbol]:
    """Symbols of a file that lie right in a container, in order; those of some names, or all."""
    named = f" AND s.name IN ({', '.join('?' * len(names))})" if names else ""
    where = f"f.path = ? AND s.container = ?{named} ORDER BY s.id"
    yield from _symbols(connection, where, (path, inside, *names))


def symbols_named_in(
    connection: sqlite3.Connection, names: Sequence[str], paths: Sequence[str], limit: int = CANDIDATES
) -> Iterator[Symbol]:
    """Symbols of these names in these files."""
    marks, places = ", ".join("?" * len(names)), ", ".join("?" * len(paths))
    where = f"f.path IN ({places}) AND s.name IN ({marks})"
    yield from _symbols(connection, where, (*paths, *names), limit)


def imports_of_file(connection: sqlite3.Connection, path: str) -> list[tuple[str, str, str]]:
    """Module, name and alias of each import of a file."""
    query = "SELECT module, name, alias FROM imports WHERE file = (SELECT id FROM files WHERE path = ?)"
    return list(connection.execute(query, (path,)))


def links(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """Paths of a file that imports and of one that defines, and how many names; very common names tell nothing."""
    query = f"""WITH told AS (SELECT name, file FROM symbols WHERE container = ''),
        rare AS (SELECT name FROM told GROUP BY name HAVING count(*) <= {MAX_DEFINERS})
        SELECT a.path, b.path, count(*) FROM imports i JOIN rare USING (name) JOIN told USING (name)
        JOIN files a ON a.id = i.file JOIN files b ON b.id = told.file WHERE a.id != b.id GROUP BY a.id, b.id"""
    return list(connection.execute(query))


def files_ending(connection: sqlite3.Connection, end: str, limit: int = 8) -> list[str]:
    """Indexed files whose path ends in this, which begins with a slash."""
    return _ending(connection, "backwards", end, limit)


def files_in_folders_ending(connection: sqlite3.Connection, end: str, limit: int = 64) -> list[str]:
    """Indexed files that lie right in a folder whose path ends in this."""
    return _ending(connection, "folder_backwards", end, limit)


def _ending(connection: sqlite3.Connection, column: str, end: str, limit: int) -> list[str]:
    begin = end[::-1]
    query = f"SELECT path FROM files WHERE {column} >= ? AND {column} < ? LIMIT ?"
    return [path for (path,) in connection.execute(query, (begin, begin + "\U0010ffff", limit))]


def occurrences(connection: sqlite3.Connection, name: str, limit: int) -> list[Occurrence]:
    """Files that use a name, those that use it most first among those looked at."""
    if '"' in name or not split_words(name):
        return []
    query = "SELECT file FROM chunks WHERE id IN (SELECT rowid FROM chunk_words WHERE chunk_words MATCH ? LIMIT ?)"
    rows = connection.execute(query, (f'"{name.lower()}"', MAX_CHUNKS))
    likeliest = Counter(file for (file,) in rows).most_common(limit + 8)
    found: list[Occurrence] = []
    for file, _ in likeliest:
        path, packed = connection.execute("SELECT path, names FROM files WHERE id = ?", (file,)).fetchone()
        if lines := find_lines(packed, name):
            distinct = tuple(dict.fromkeys(lines))[:MAX_OCCURRENCE_LINES]
            found.append(Occurrence(Path(path), len(lines), distinct))
    return sorted(found, key=lambda one: (-one.count, str(one.path)))[:limit]


def passages(connection: sqlite3.Connection, text: str, limit: int, most_scored: int) -> list[Passage]:
    """Pieces of files that share the most telling words with a text, by BM25.

    Scoring is what takes time: words are left out so that no more than `most_scored` pieces have the others.
    """
    words = _rarest(connection, telling_words(text)[:MAX_QUERY_WORDS], most_scored)
    if not words:
        return []
    query = """SELECT f.path, c.start_line, c.end_line, -r.rank FROM
        (SELECT rowid, rank FROM chunk_words WHERE chunk_words MATCH ? ORDER BY rank LIMIT ?) r
        JOIN chunks c ON c.id = r.rowid JOIN files f ON f.id = c.file ORDER BY r.rank LIMIT ?"""
    rows = connection.execute(query, (match_any(words), 3 * limit + 8, limit))
    return [Passage(Path(path), start, end, score) for path, start, end, score in rows]


def _rarest(connection: sqlite3.Connection, words: list[str], most: int) -> list[str]:
    """The words in the fewest pieces, in no more than `most` together: the others cost most and tell least."""
    query = "SELECT count(*) FROM (SELECT 1 FROM chunk_words WHERE chunk_words MATCH ? LIMIT ?)"
    limits = [(f'"{word}"', most) for word in words]
    counted = sorted(
        (connection.execute(query, values).fetchone()[0], word) for word, values in zip(words, limits, strict=True)
    )
    sums = accumulate(count for count, _ in counted)
    return [word for (_, word), sum_ in zip(counted, sums, strict=True) if sum_ < most]


def _symbols(
    connection: sqlite3.Connection, where: str, values: Sequence[Any], limit: int = CANDIDATES
) -> Iterator[Symbol]:
    for row in connection.execute(f"{_SYMBOL} WHERE {where} LIMIT ?", (*values, limit)).fetchall():
        yield _make_symbol(row)


def _named_like(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> Iterator[Candidate]:
    query = f"{_CANDIDATE} WHERE {where} LIMIT {CANDIDATES}"
    yield from (Candidate(*row) for row in connection.execute(query, values).fetchall())


def _named_by_words(connection: sqlite3.Connection, table: str, match: str) -> Iterator[Candidate]:
    yield from _named_like(
        connection, f"s.id IN (SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT {CANDIDATES})", (match,)
    )


def _make_symbol(row: tuple[Any, ...]) -> Symbol:
    name, kind, path, start_line, start_column, end_line, end_column, *texts = row
    range_ = Range(Position(start_line, start_column), Position(end_line, end_column))
    return Symbol(name, kind, Path(path), range_, *texts)
