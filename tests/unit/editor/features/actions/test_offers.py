"""What is on the menu where."""

import pytest

from heron.editor.features.actions.actions import Actions, is_of_kind
from unit.editor.features.actions.spots import spot_in

DOCUMENTED = 'def f(a: int) -> int:\n    """Give a."""\n    │return a\n'
PLAIN = "just│ words\n"


def names(language: str, marked: str, message: str = "") -> set[str]:
    return {entry.action for entry in Actions().list(spot_in(language, marked, message))}


def test_what_is_documented_and_typed_is_not_offered_again() -> None:
    assert not names("python", DOCUMENTED) & {"document", "types"}


def test_go_has_types_and_so_none_to_add() -> None:
    assert "types" not in names("go", "package a\n\nfunc f│(a int) int {\n\treturn a\n}\n")


def test_prose_has_no_menu() -> None:
    assert names("markdown", PLAIN) == set()


def test_a_function_in_the_middle_of_a_line_cannot_be_documented_there() -> None:
    assert "document" not in names("javascript", "f(); function g│(a) { return a; }\n")


def test_tests_of_tests_are_not_offered() -> None:
    assert "tests" not in names("python", "def test_f│():\n    assert f()\n")


def test_hints_are_explained_and_not_fixed() -> None:
    spot = spot_in("python", "x = │1\n", "x is unused")
    hint = type(spot.diagnostics[0])(spot.diagnostics[0].range, "x is unused", "hint")
    spot = type(spot)(spot.document, spot.selection, spot.tree, (hint,))
    assert {entry.action for entry in Actions().list(spot)} == {"explain"}


def test_only_fixes_without_the_model_are_preferred() -> None:
    known = Actions().list(spot_in("python", "value = 1\nprint(│valu)\n", "name 'valu' is not defined"))
    guessed = Actions().list(spot_in("python", "value = 1\nprint(│value)\n", "TypeError: what is this"))
    assert [entry.offer.preferred for entry in known if entry.action == "fix"] == [True]
    assert [entry.offer.preferred for entry in guessed if entry.action == "fix"] == [False]


def test_english_comments_are_not_translated() -> None:
    assert "translate" not in names("python", "# The sum of all │prices, with die cut tax\nx = 1\n")


@pytest.mark.parametrize(
    ("kind", "wanted", "fits"),
    [
        ("refactor.rewrite", "refactor", True),
        ("refactor.rewrite", "refactor.rewrite", True),
        ("refactor.rewrite", "refactor.rewriting", False),
        ("refactorings", "refactor", False),
        ("quickfix", "", True),
    ],
)
def test_kinds_are_a_tree(kind: str, wanted: str, fits: bool) -> None:
    assert is_of_kind(kind, wanted) is fits
