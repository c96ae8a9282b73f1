"""A short soak of the real host: random requests, cancels and disconnects; then nothing is left in use."""

import asyncio
from collections import Counter
from pathlib import Path

from bench.hosts import HostOptions, running_host
from bench.soak import SoakOptions, judge_rest, soak
from homes import CODER

SECONDS = 8.0
LIMIT_S = 120


async def test_after_random_requests_and_disconnects_nothing_is_left(model_home: Path) -> None:
    options = SoakOptions(SECONDS, clients=8, seed=7)
    with running_host(HostOptions(CODER, engine="cache_tokens = 2048\n", store=model_home)) as host:
        async with host.client() as http, asyncio.timeout(LIMIT_S):
            record = await soak(http, options, lambda line: None)
    assert judge_rest(record) == []
    kinds = Counter(outcome.kind for outcome in record.outcomes)
    assert set(kinds) == set(options.kinds)
