import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.document import Document, Position, Range
from heron.editor.syntax import tree as tree_module
from heron.editor.syntax.tree import MAX_CHARACTERS, MAX_LINE_CHARACTERS, Tree, parse

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy

OWL = 'def owl(name):\n    # 🦉 é\n    return "🦉🦉" + name\n\n\nclass Nest:\n    size = 1\n'


def document(text: str, language: str = "python", version: int = 1) -> Document:
    return Document("file:///a", version, language, text)


def parsed(text: str, language: str = "python") -> Tree:
    tree = parse(document(text, language))
    assert tree is not None
    return tree


def test_columns_are_code_points() -> None:
    tree = parsed(OWL)
    assert tree.inside(Position(1, 7)) == "comment"
    assert tree.inside(Position(2, 13)) == "string"
    assert tree.inside(Position(2, 15)) == "code"
    assert tree.definition_at(Position(2, 20)) == Range(Position(0, 0), Position(2, 22))


def test_end_of_a_line_comment_is_inside_it() -> None:
    tree = parsed("x = 1  # one\ny = 2\n")
    assert tree.inside(Position(0, 12)) == "comment"
    assert tree.inside(Position(1, 0)) == "code"


def test_end_of_a_block_comment_is_outside() -> None:
    tree = parsed("/* one */ int x;\n", "c")
    assert tree.inside(Position(0, 5)) == "comment"
    assert tree.inside(Position(0, 9)) == "code"


def test_error_is_told() -> None:
    assert not parsed(OWL).has_error
    assert parsed("def (:\n").has_error


def test_error_is_told_by_definition() -> None:
    tree = parsed("def one(:\n    pass\n\n\ndef two():\n    return 2\n")
    assert not tree.breaks_at(Position(5, 8))


@pytest.mark.parametrize("text", ["", "\0", "\ud800 = 1\n", "\r\r\n", "((((" * 1000, "\ufeffx = 1"])
def test_invalid_text_is_parsed_without_an_exception(text: str) -> None:
    tree = parsed(text)
    tree.inside(Position(0, 1))
    tree.definition_at(Position(0, 1))


def test_lone_surrogate_keeps_columns() -> None:
    assert parsed('x = "\ud800" # é\n').inside(Position(0, 10)) == "comment"


def test_unknown_language_and_large_texts_have_no_tree() -> None:
    assert parse(document("x", "cobol")) is None
    assert parse(document("x = 1\n" * (MAX_CHARACTERS // 6 + 1))) is None
    assert parse(document("x" * (MAX_LINE_CHARACTERS + 1))) is None


def test_parse_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "PARSE_BUDGET_S", 0.0)
    assert parse(document("x = [1, 2, 3]\n" * 100_000)) is None


PIECES = ["def f():\n", "    x = 1\n", "é", "🦉", "'", '"""', "(", ")", "\r\n", "# a\n", "\n"]
texts = st.lists(st.sampled_from(PIECES)).map("".join)


@unhurried
@given(texts, st.lists(texts, min_size=1, max_size=4))
def test_incremental_parse_equals_a_fresh_one(text: str, inserts: list[str]) -> None:
    tree = parse(document(text))
    for number, insert in enumerate(inserts):
        middle = (number * 7919) % (len(text) + 1)
        text = text[:middle] + insert + text[middle + number :]
        tree = parse(document(text, version=number + 2), tree)
    assert tree is not None
    assert str(tree.syntax.root_node) == str(parsed(text).syntax.root_node)


def test_one_edit_in_ten_thousand_lines_is_quick() -> None:
    lines = [f"def f{number}(x):\n    return x + {number}\n" for number in range(5000)]
    before = parse(document("".join(lines)))
    lines[2500] = "def changed(y):\n    return y\n"
    after = document("".join(lines))
    started = time.thread_time()
    tree = parse(after, before)
    assert time.thread_time() - started < 0.1  # 5 ms on a quiet machine
    assert tree is not None
    assert not tree.has_error


@pytest.mark.parametrize("times", [1, 6000])
def test_the_text_of_a_node_however_the_text_was_read(times: int) -> None:
    text = "import größe\nx = 'é'\n" * times
    tree = parse(Document("file:///a.py", 1, "python", text))
    assert tree is not None
    assert (len(tree.source) > tree_module.UNWATCHED_BYTES) == (times > 1)
    for node in tree.syntax.root_node.children[-4:]:
        assert tree.bytes_of(node) == node.text
