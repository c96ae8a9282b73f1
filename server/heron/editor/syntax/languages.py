"""The languages Heron knows, from `grammars/languages.toml`, and where their queries lie."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

BlockStyle = Literal["indent", "braces", "keyword", "none"]
_INHERITS = re.compile(r"; inherits: (\w+)\n")


@dataclass(frozen=True, slots=True)
class Language:
    """What the text alone needs to know of a language; `languages.toml` explains each field."""

    name: str
    ids: tuple[str, ...]
    extensions: tuple[str, ...]
    names: tuple[str, ...]
    grammar: str
    queries: str
    line_comments: tuple[str, ...]
    block_comment: tuple[str, ...]
    quotes: tuple[str, ...]
    multiline_quotes: tuple[str, ...]
    block: BlockStyle
    indent: str
    block_openers: re.Pattern[str]
    brackets: str
    end_words: tuple[str, ...]
    middle_words: tuple[str, ...]

    @property
    def is_code(self) -> bool:
        return self.block != "none"


def find_language(language_id: str, uri: str = "") -> Language | None:
    """The language of an LSP identifier, else of the file name in `uri`; None for one we do not know."""
    by_id, by_name = _tables()
    found = by_id.get(language_id)
    if found is None and uri:
        path = PurePosixPath(uri)
        found = by_name.get(path.name) or by_name.get(path.suffix.lower())
    return found


@cache
def load_languages() -> Mapping[str, Language]:
    """All languages by name, in the order of the file."""
    tables = tomllib.loads((grammars_folder() / "languages.toml").read_text(encoding="utf-8"))
    return {name: _parse_language(name, table) for name, table in tables.items()}


def read_query(language: Language, kind: str) -> str:
    """Text of `grammars/<language>/<kind>.scm`, led by what its first line inherits; empty where it has none.

    `; inherits: ecma` stands for the query of the same kind in that folder, as in nvim-treesitter.
    """
    return _read_query(language.queries, kind)


def _read_query(folder: str, kind: str) -> str:
    query = grammars_folder() / folder / f"{kind}.scm"
    text = query.read_text(encoding="utf-8") if query.is_file() else ""
    inherited = _INHERITS.match(text)
    return _read_query(inherited[1], kind) + text if inherited else text


def grammars_folder() -> Traversable:
    """`heron/grammars` in an installed wheel, the top-level `grammars/` in a checkout."""
    packaged = files("heron") / "grammars"
    return packaged if packaged.is_dir() else Path(str(files("heron"))).parents[1] / "grammars"


@cache
def _tables() -> tuple[Mapping[str, Language], Mapping[str, Language]]:
    languages = load_languages().values()
    by_id = {id: language for language in languages for id in language.ids}
    by_name = {name: language for language in languages for name in (*language.names, *language.extensions)}
    return by_id, by_name


def _parse_language(name: str, table: Mapping[str, Any]) -> Language:
    def strings(key: str) -> tuple[str, ...]:
        return tuple(table.get(key, ()))

    return Language(
        name=name,
        ids=strings("ids"),
        extensions=strings("extensions"),
        names=strings("names"),
        grammar=table["grammar"],
        queries=table.get("queries", name),
        line_comments=strings("line_comments"),
        block_comment=strings("block_comment"),
        quotes=strings("quotes"),
        multiline_quotes=strings("multiline_quotes"),
        block=table["block"],
        indent=table.get("indent", "    "),
        block_openers=re.compile(table["block_openers"]),
        brackets=table.get("brackets", "()[]{}"),
        end_words=strings("end_words"),
        middle_words=strings("middle_words"),
    )
