"""Sources that are late, busy or broken: answers come in time, and what comes later is not lost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from heron.editor.context.gather import Gatherer
from heron.editor.context.index.index import Index
from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View
from unit.editor.context.places import view_at


class Found:
    """A source that waits for its event, if it has one."""

    def __init__(self, text: str, wait: Event | None = None) -> None:
        self._text, self._wait = text, wait
        self.asked = 0
        self.answered = Event()

    def __call__(self, view: View) -> Iterator[Snippet]:
        self.asked += 1
        if self._wait is not None:
            self._wait.wait(30)
        yield Snippet("definitions", Path("/w/a"), 0, 1, self._text)
        self.answered.set()


def broken(view: View) -> Sequence[Snippet]:
    raise ValueError("no")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


async def test_a_late_source_is_left_out_and_its_answer_stands_in_next_time(
    index: Index, executor: ThreadPoolExecutor
) -> None:
    go = Event()
    quick, slow, after = Found("quick"), Found("slow", go), Found("after")
    gatherer = Gatherer({"members": quick, "similar": slow, "open": after}, executor)
    view = view_at(index, "shop/till.py", "│\n")
    first = await gatherer.gather(view, 0.2)
    assert (set(first.found), first.late) == ({"members"}, {"similar", "open"})
    second = await gatherer.gather(view, 10)
    assert (set(second.found), second.late) == ({"members", "open"}, {"similar"})
    assert (quick.asked, slow.asked, after.asked) == (2, 1, 1)
    go.set()
    assert slow.answered.wait(30)
    third = await gatherer.gather(view, 10)
    assert {name: [one.text for one in found] for name, found in third.found.items()} == {
        "members": ["quick"],
        "similar": ["slow"],
        "open": ["after"],
    }


async def test_a_broken_source_costs_only_its_own(index: Index, executor: ThreadPoolExecutor) -> None:
    gatherer = Gatherer({"members": broken, "open": Found("open")}, executor)
    gathered = await gatherer.gather(view_at(index, "shop/till.py", "│\n"), 10)
    assert gathered.found["members"] == ()
    assert [one.text for one in gathered.found["open"]] == ["open"]
    assert not gathered.late
