"""Queries on sample sources, one a language, against what a reader finds in them (`samples/*.txt`).

After a change: `python tests/unit/editor/syntax/test_tags.py` writes them anew; read the difference before keeping it.
"""

from pathlib import Path

import pytest

from heron.editor.document import Document, Position, Range
from heron.editor.syntax.embedded import read_parts
from heron.editor.syntax.imports import read_imports
from heron.editor.syntax.languages import find_language, load_languages, read_query
from heron.editor.syntax.names import read_names
from heron.editor.syntax.tags import KINDS, read_calls, read_tags
from heron.editor.syntax.tree import Tree, load_query, parse

SAMPLES = Path(__file__).parent / "samples"
SOURCES = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".txt")
QUERIES = ("tags", "calls", "imports")


def read_tree(path: Path) -> Tree:
    tree = parse(Document(path.as_uri(), 1, "", path.read_text(encoding="utf-8")))
    assert tree is not None
    return tree


def describe(tree: Tree) -> str:
    """Everything the queries find, one thing a line."""
    lines = []
    for tag in read_tags(tree):
        name = f"{tag.container}.{tag.name}" if tag.container else tag.name
        place = f"{tag.range.start.line + 1}-{tag.range.end.line + 1}"
        lines.append(" | ".join((f"{place} {tag.kind} {name}", tag.signature, tag.doc)).rstrip(" |"))
    lines += [f"{call.range.start.line + 1} call {call.name}" for call in read_calls(tree)]
    for one in read_imports(tree):
        lines.append(f"{one.range.start.line + 1} import {one.module} ({', '.join(one.names)}) {one.alias}".rstrip())
    for part in read_parts(tree.document):
        first, last = (tree.document.position(offset).line + 1 for offset in (part.start, part.end))
        lines.append(f"{first}-{last} embeds {part.language}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sample(path: Path) -> None:
    assert describe(read_tree(path)) == path.with_suffix(path.suffix + ".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_samples_are_valid_code(path: Path) -> None:
    assert not read_tree(path).has_error


def test_every_query_has_a_sample() -> None:
    sampled = {language.name for path in SOURCES if (language := find_language("", path.as_uri()))}
    for language in load_languages().values():
        if any(read_query(language, kind) for kind in QUERIES):
            assert language.name in sampled


@pytest.mark.parametrize("name", list(load_languages()))
def test_queries_compile_and_kinds_are_known(name: str) -> None:
    language = load_languages()[name]
    for kind in QUERIES:
        query = load_query(language, kind)
        names = [query.capture_name(index) for index in range(query.capture_count)] if query else []
        assert {one.removeprefix("definition.") for one in names if one.startswith("definition.")} <= set(KINDS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_names_lie_within_their_definitions(path: Path) -> None:
    tree = read_tree(path)
    for tag in read_tags(tree):
        assert tag.range.start <= tag.name_range.start <= tag.name_range.end <= tag.range.end
        text = tree.document.text[tree.document.offset(tag.name_range.start) : tree.document.offset(tag.name_range.end)]
        assert tag.name in text


def test_columns_are_code_points() -> None:
    tree = parse(Document("file:///a.py", 1, "python", "x = '😀ä'; y = 1\ndef ö(): ünder()\n"))
    assert tree is not None
    (function,) = [tag for tag in read_tags(tree) if tag.kind == "function"]
    assert function.name_range == Range(Position(1, 4), Position(1, 5))
    assert [(call.name, call.range.start) for call in read_calls(tree)] == [("ünder", Position(1, 9))]


def test_calls_of_a_range() -> None:
    tree = parse(Document("file:///a.py", 1, "python", "a()\nb()\nc()\n"))
    assert tree is not None
    assert [call.name for call in read_calls(tree, Range(Position(1, 0), Position(1, 3)))] == ["b"]


def test_names_with_their_lines() -> None:
    text = (
        "# comment name\nimport os\nx = 'string name'\nname = os.path if other else name\ndef f(self): return name_2\n"
    )
    tree = parse(Document("file:///a.py", 1, "python", text))
    assert tree is not None
    expected = {"os": (1, 3), "path": (3,), "name": (3, 3), "other": (3,), "name_2": (4,)}
    assert read_names(tree) == expected


def test_broken_code_has_what_can_be_read() -> None:
    tree = parse(Document("file:///a.py", 1, "python", "class A:\n    def f(self):\n        x = (\n\ndef g(): pass\n"))
    assert tree is not None
    assert "A" in {tag.name for tag in read_tags(tree)}


if __name__ == "__main__":
    for source in SOURCES:
        source.with_suffix(source.suffix + ".txt").write_text(describe(read_tree(source)), encoding="utf-8")
