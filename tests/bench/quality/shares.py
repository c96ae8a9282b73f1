"""Shares with 95% intervals, and whether two shares over the same cases differ."""

import math
from collections.abc import Sequence
from typing import Any

_Z = 1.959964


def share(outcomes: Sequence[bool]) -> dict[str, Any]:
    """Percent with Wilson's interval (Wilson 1927)."""
    count, hits = len(outcomes), sum(outcomes)
    if not count:
        return {"n": 0}
    rate, spread = hits / count, _Z**2 / count
    middle = (rate + spread / 2) / (1 + spread)
    reach = _Z * math.sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    bounds = [round(100 * (middle - reach), 1), round(100 * (middle + reach), 1)]
    return {"n": count, "percent": round(100 * rate, 1), "interval": bounds}


def paired(one: Sequence[bool], other: Sequence[bool]) -> dict[str, Any]:
    """Cases only one of two got right, and the exact two-sided p of McNemar's test (McNemar 1947)."""
    only_one = sum(a and not b for a, b in zip(one, other, strict=True))
    only_other = sum(b and not a for a, b in zip(one, other, strict=True))
    differing, fewest = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(differing, k) for k in range(fewest + 1)) / 2**differing
    return {"only_first": only_one, "only_second": only_other, "p": round(min(1.0, 2 * tail), 4)}
