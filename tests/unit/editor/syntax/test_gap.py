import pytest

from heron.editor.document import Document
from heron.editor.syntax.gap import READ_CHARACTERS, Gap, expects_body, unify_line_ends, width_of
from heron.editor.syntax.languages import find_language, load_languages
from heron.editor.syntax.tree import parse


def gap_at(marked: str, language: str = "python", *, with_tree: bool = True) -> Gap:
    text = marked.replace("│", "")
    document = Document("file:///a", 1, language, text)
    tree = parse(document) if with_tree else None
    return Gap(document, document.position(marked.index("│")), find_language(language), tree, "block")


def test_text_around_the_cursor() -> None:
    gap = gap_at("one\ntwo│ three\n  four  \n")
    assert (gap.line_prefix, gap.line_suffix) == ("two", " three")
    assert gap.previous_lines == ("one",)
    assert gap.next_lines == ("  four", "")


def test_carriage_returns_are_not_seen() -> None:
    gap = gap_at("one\r\ntwo│ three\r\nfour\r\n")
    assert gap.newline == "\r\n"
    assert gap.preceding == "one\ntwo"
    assert gap.next_lines == ("four", "")
    assert unify_line_ends("a\r\nb\rc\n") == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("marked", "closable"),
    [
        ("f(a[│", "])"),
        ("f(a[│])", ""),
        ("f(a[│)", "]"),
        ("f(a│\n", ")"),
        ("class A {\n  f() {│\n}\n", "}"),
        ("class A {\n  f() {│\n  }\n}\n", ""),
        ("g(() => {│\n", "})"),
        ("g(() => {│\n});\n", ""),
        ("f('│')", ""),
        ("x │", ""),
    ],
)
def test_what_may_be_closed(marked: str, closable: str) -> None:
    assert gap_at(marked, "javascript").closable == closable


@pytest.mark.parametrize(
    ("marked", "unit"),
    [
        ("def f():\n  return 1│\n", "  "),
        ("def f():\n\treturn 1│\n", "\t"),
        ("def f():\n    g(1,\n      2)\n    h(3)\n\ndef g():\n    if x:\n        y│\n", "    "),
        ("x = 1│\n", "    "),
        ('def f():\n    """T\n     a\n        b\n     c\n        d\n    """\n    │', "    "),
        ("def f():\n        a = 1\n        if a:\n                b│", "        "),
        ("if a:\n\tb\n\tc\nif d:\n    │", "    "),
    ],
)
def test_indentation_unit(marked: str, unit: str) -> None:
    assert gap_at(marked).indent_unit == unit


def test_indentation_unit_of_the_language() -> None:
    assert gap_at("func f() {│\n}\n", "go").indent_unit == "\t"
    assert gap_at("x│\n", "javascript").indent_unit == "  "


@pytest.mark.parametrize(
    ("marked", "inside", "quote"),
    [
        ("x = 'a│'", "string", "'"),
        ("x = 'a│", "string", "'"),
        ("# it's│", "comment", ""),
        ("x = 1│", "code", ""),
        ("x = 'a'│", "code", ""),
        ('def f():\n    """a│\n', "string", '"""'),
    ],
)
def test_inside_strings_and_comments(marked: str, inside: str, quote: str) -> None:
    for with_tree in (True, False):
        gap = gap_at(marked, with_tree=with_tree)
        assert (gap.inside, gap.quote) == (inside, quote)


def test_reading_of_a_long_document_begins_in_code() -> None:
    head = "'''it's\n" * 1 + "a (\n" * READ_CHARACTERS + "'''\n"
    gap = gap_at(head + "x = [│\n")
    assert gap.inside == "code"
    assert len(gap.preceding) <= READ_CHARACTERS


def test_reading_with_a_tree_skips_the_string_it_falls_into() -> None:
    filler = "x = 1\n" * 2000
    gap = gap_at("x = '''" + "it's (\n" * 30 + "'''\n" + filler[: READ_CHARACTERS - 150] + "y = [│\n")
    assert gap.inside == "code"
    assert "".join(bracket.char for bracket in gap.reading.open) == "["


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("python", "def f():", True),
        ("python", "    else:  # or", True),
        ("python", ") -> int:", True),
        ("python", "x: int = 1", False),
        ("python", "'a':", False),
        ("javascript", "if (a) {", True),
        ("javascript", "if (a) { // b", True),
        ("javascript", "f('{')", False),
        ("ruby", "names.each do |name|", True),
        ("ruby", "def a = 1 end", False),
        ("lua", "local f = function(a, b)", True),
        ("lua", "f(a)", False),
        ("bash", "for a in b; do", True),
        ("bash", "echo do it", False),
        ("markdown", "a:", False),
    ],
)
def test_lines_that_expect_a_body(name: str, line: str, expected: bool) -> None:
    assert expects_body(line, load_languages()[name]) is expected


def test_width_of_tabs() -> None:
    assert [width_of(indent) for indent in ("", "  ", "\t", "  \t", "\t ")] == [0, 2, 4, 4, 5]
