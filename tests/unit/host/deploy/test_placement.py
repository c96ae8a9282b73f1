"""Where keys go: the same place, little moved by replicas that come and go, never much more than a fair share."""

from hypothesis import given
from hypothesis import strategies as st

from heron.host.deploy.placement import LEAST_BOUND, order, place

NAMES = [f"replica-{number}" for number in range(8)]
KEYS = [f"key-{number}" for number in range(400)]
loads = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 50), min_size=1)


@given(st.text(), loads)
def test_every_replica_is_tried_once(key: str, loads: dict[str, int]) -> None:
    assert sorted(place(key, loads)) == sorted(loads)


def test_a_key_stays_and_keys_are_spread() -> None:
    idle = dict.fromkeys(NAMES, 0)
    first = {key: place(key, idle)[0] for key in KEYS}
    assert all(place(key, dict.fromkeys(reversed(NAMES), 0))[0] == name for key, name in first.items())
    counts = [list(first.values()).count(name) for name in NAMES]
    assert min(counts) > 25
    assert max(counts) < 85


def test_a_replica_that_goes_moves_only_its_own_keys() -> None:
    left = NAMES[1:]
    for key in KEYS:
        before = order(key, NAMES)
        assert order(key, left) == [name for name in before if name != NAMES[0]]


@given(st.sampled_from(KEYS), loads)
def test_a_key_spills_over_only_from_a_replica_beyond_its_share(key: str, loads: dict[str, int]) -> None:
    chosen, best = place(key, loads)[0], order(key, list(loads))[0]
    mean = (sum(loads.values()) + 1) / len(loads)
    assert chosen == best or loads[best] >= max(LEAST_BOUND, mean)
    assert loads[chosen] <= max(LEAST_BOUND, 1.25 * mean + 1)


def test_no_key_goes_where_least_is_to_do() -> None:
    assert place("", {"a": 2, "b": 0, "c": 1}) == ["b", "c", "a"]
