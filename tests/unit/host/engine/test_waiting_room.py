from dataclasses import dataclass

import pytest

from heron.host.engine.waiting_room import find_crowd


@dataclass(frozen=True)
class Waiter:
    client: str


@pytest.mark.parametrize(
    ("clients", "client", "count", "sharers", "words"),
    [
        ("abcd", "e", 4, 1, "4 requests are waiting"),
        ("aab", "a", 2, 2, "2 requests of this client are waiting"),
        ("aabb", "a", 4, 1, "4 requests are waiting"),
    ],
)
def test_who_is_kept_out_and_by_how_many(clients: str, client: str, count: int, sharers: int, words: str) -> None:
    crowd = find_crowd([Waiter(name) for name in clients], client, 4, 2)
    assert crowd is not None
    assert (len(crowd.queued), crowd.sharers) == (count, sharers)
    error = crowd.refuse(3.0)
    assert words in str(error)
    assert error.retry_after_s == 3.0


@pytest.mark.parametrize(("clients", "client"), [("", "a"), ("abb", "a"), ("aab", "b")])
def test_who_may_wait(clients: str, client: str) -> None:
    assert find_crowd([Waiter(name) for name in clients], client, 4, 2) is None
