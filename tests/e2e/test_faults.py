"""A short fault run with a real model; the long one is tests/bench/faults_run.py."""

import asyncio
from pathlib import Path

from bench.faults_run import judge, run_faults
from bench.outages.place import open_place
from homes import SMALL

KINDS = ("kill worker", "full disk", "kill host")
LIMIT_S = 120


async def test_kills_and_a_full_disk_lose_nothing(model_home: Path) -> None:
    with open_place(model_home, SMALL, "cache_tokens = 2048\n") as place:
        kinds = [kind for kind in KINDS if place.is_small or kind != "full disk"]
        async with asyncio.timeout(LIMIT_S):
            record = await run_faults(place, kinds, seed=3)
    assert judge(record) == []
    assert len(record.injuries) == len(kinds)
