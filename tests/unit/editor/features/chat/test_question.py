import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.chat.question import Lines, read_question


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What does `total` do?", ("total",)),
        ("What does `Cart.total()` do?", ("Cart.total",)),
        ("How is std::move used?", ("std::move",)),
        ("Where is iter_lines defined?", ("iter_lines",)),
        ("where is BaseTransport", ("BaseTransport",)),
        ("what does foo() do", ("foo",)),
        ("see #symbol:Foo.bar and HTTPTransport.handle_request", ("Foo.bar", "HTTPTransport.handle_request")),
        ("why does `x = 1` fail?", ()),
        ("What is the weather like today?", ()),
    ],
)
def test_names(text: str, names: tuple[str, ...]) -> None:
    assert read_question(text).names == names


def test_words_that_may_be_names_are_kept_apart() -> None:
    question = read_question("What does the Table class of rich return?")
    assert (question.names, question.words) == ((), ("Table", "rich"))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("look at src/shop/cart.py", (Lines("src/shop/cart.py"),)),
        ("in cart.py:10-20, why", (Lines("cart.py", 10, 20),)),
        ("what is main.go:3?", (Lines("main.go", 3),)),
        ('read #file:"my notes.md" and #file:a/b.py.', (Lines("my notes.md"), Lines("a/b.py"))),
        ("see https://example.com/a.py", ()),
        ("e.g. this one, i.e. that", ()),
        ("what does `util.py` hold", (Lines("util.py"),)),
    ],
)
def test_paths(text: str, paths: tuple[Lines, ...]) -> None:
    assert read_question(text).paths == paths


def test_flags_and_uses() -> None:
    question = read_question("Who calls `f`? @workspace #selection #diagnostics #selectionary")
    assert question.flags == {"workspace", "selection", "diagnostics"}
    assert question.asks_for_uses
    assert not read_question("What is `f`?").asks_for_uses


@pytest.mark.parametrize(
    ("text", "command", "rest"),
    [
        ("/explain this", "explain", "this"),
        ("  /tests", "tests", ""),
        ("/tmp is full", "", "/tmp is full"),
        ("/explainer", "", "/explainer"),
        ("not /fix", "", "not /fix"),
    ],
)
def test_commands(text: str, command: str, rest: str) -> None:
    question = read_question(text)
    assert (question.command, question.text) == (command, rest)


@given(st.text(max_size=300))
def test_any_text_is_read_and_little_is_followed(text: str) -> None:
    question = read_question(text)
    assert max(len(question.paths), len(question.names), len(question.words)) <= 6


@pytest.mark.parametrize(
    "piece", ["a.b/c_d-", "x", "/", ".", "a.", "a-", "aB", "`a", "a::", "#file:", " ", "a(", "://"]
)
def test_a_pasted_log_is_read_in_time(piece: str) -> None:
    """No pattern takes a time that grows with the square of the text's length."""
    began = time.thread_time()
    read_question(piece * (100_000 // len(piece)))
    assert time.thread_time() - began < 2
