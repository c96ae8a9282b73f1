from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from heron.editor.context.choose import HEADER_TOKENS, LINE_TOKENS, Allowance, Near, choose, look_near
from heron.editor.context.rank import Ranked, fuse
from heron.editor.context.snippet import Snippet
from heron.editor.document import Document, Position

NOTHING = Near()


def snippet(text: str, path: str = "a.py", start: int = 0, name: str = "") -> Snippet:
    return Snippet("definitions", Path("/w") / path, start, start + 1, text, name)


def ranked(*snippets: Snippet) -> list[Ranked]:
    return [Ranked(one, 1.0, {}) for one in snippets]


def chosen(found: list[Ranked], tokens: int, near: Near = NOTHING) -> list[str]:
    return [one.snippet.text for one in choose(found, near, Allowance(tokens, len))]


def test_the_best_that_fit_and_smaller_ones_behind_them() -> None:
    found = ranked(snippet("a" * 10), snippet("b" * 90, start=1), snippet("c" * 10, start=2))
    both = HEADER_TOKENS + 2 * (10 + LINE_TOKENS)
    assert chosen(found, both) == ["a" * 10, "c" * 10]
    assert chosen(found, both - 1) == ["a" * 10]


@given(st.lists(st.text(alphabet="ab\n", max_size=30), max_size=8), st.integers(0, 120))
def test_never_more_than_allowed(texts: list[str], tokens: int) -> None:
    found = ranked(*(snippet(text, f"{number % 3}.py", number) for number, text in enumerate(texts)))
    assert sum(one.tokens for one in choose(found, NOTHING, Allowance(tokens, len))) <= tokens


def test_nothing_that_stands_around_the_cursor() -> None:
    document = Document("file:///a.py", 1, "python", "def total(basket):\n    return sum(basket)\n\n")
    near = look_near(document, Position(2, 0))
    assert chosen(ranked(snippet("def total(basket):\n    return sum(basket)")), 500, near) == []
    assert chosen(ranked(snippet("def total(prices):\n    x = 1")), 500, near) != []


def test_no_definition_of_a_name_that_is_shown() -> None:
    document = Document("file:///a.py", 1, "python", "from shop import price\n\nprice = pri\nother\n")
    found = ranked(snippet("def price(item)", name="price"), snippet("def pri(a)", name="pri", start=9))
    assert chosen(found, 500, look_near(document, Position(2, 11))) == ["def pri(a)"]
    assert chosen(ranked(snippet("def price(item)")), 500, look_near(document, Position(2, 11))) == ["def price(item)"]


def test_fusion_prefers_what_several_sources_found_and_keeps_the_first_ones_text() -> None:
    one, same, other = snippet("one", start=1), snippet("longer", start=1), snippet("other", start=2)
    fused = fuse({"members": [other, one], "definitions": [same]}, {})
    assert [(each.snippet.text, dict(each.ranks)) for each in fused] == [
        ("one", {"members": 2, "definitions": 1}),
        ("other", {"members": 1}),
    ]


def test_weights_of_sources_count() -> None:
    orders = {"a": [snippet("a", start=1)], "b": [snippet("b", start=2)]}
    assert [one.snippet.text for one in fuse(orders, {"a": 0.5})] == ["b", "a"]
