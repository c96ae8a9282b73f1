"""The error tree: a category and a code of its own for each, and a sentence for the user."""

from collections.abc import Iterator

import pytest

from heron import errors
from heron.errors import HeronError, InvalidRequest, Overloaded


def tree(kind: type[HeronError] = HeronError) -> Iterator[type[HeronError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in tree()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_each_tells_its_sentence_and_hint(kind: type[HeronError]) -> None:
    assert str(kind("It failed.")) == "It failed."
    assert str(kind("It failed.", hint="Do this.")) == "It failed. Do this."
    assert kind.category in ("model", "resource", "integration", "system")


def test_children_keep_the_category_of_their_branch() -> None:
    branches = HeronError.__subclasses__()
    ours = [branch for branch in branches if branch.__module__ == errors.__name__]
    assert all(child.category == branch.category for branch in ours for child in branch.__subclasses__())


def test_details_travel_with_the_error() -> None:
    assert InvalidRequest("No.", param="max_tokens").param == "max_tokens"
    assert Overloaded("Full.", retry_after_s=2.5).retry_after_s == 2.5
