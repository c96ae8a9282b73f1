"""Which replica a key goes to: always the same one, until that has more than its share to do or is gone.

Rendezvous hashing (Thaler and Ravishankar 1998) with bounded loads (Mirrokni et al. 2018): each key has an order of all
replicas, so that one that comes or goes moves only its own keys, and a key that spills over does so to one place too.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

SLACK = 1.25
"""A replica may have so many times the mean load before keys of its own go to the next."""
LEAST_BOUND = 4
"""So many requests it may have whatever the mean is: with few requests about, sharing matters more than balance."""


def order(key: str, replicas: Sequence[str]) -> list[str]:
    """All replicas, in the order in which a key prefers them."""
    return sorted(replicas, key=lambda replica: _weight(key, replica), reverse=True)


def place(key: str, loads: Mapping[str, int]) -> list[str]:
    """Replicas in the order to try them, by the requests that each has now; an empty key goes where least is to do."""
    idlest = sorted(loads, key=lambda replica: (loads[replica], replica))
    if not key:
        return idlest
    bound = max(LEAST_BOUND, math.ceil(SLACK * (sum(loads.values()) + 1) / max(1, len(loads))))
    within = [replica for replica in order(key, list(loads)) if loads[replica] < bound]
    return within + [replica for replica in idlest if loads[replica] >= bound]


def _weight(key: str, replica: str) -> bytes:
    return hashlib.blake2b(f"{key}\0{replica}".encode(), digest_size=8).digest()
