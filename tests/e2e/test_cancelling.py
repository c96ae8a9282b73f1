"""Leaving a stream stops the sequence and frees its pages, in a real worker; a shared prefix is not prefilled again."""

import asyncio
from contextlib import aclosing

import httpx
import pytest

from heron.host.engine.engine import Engine
from heron.host.pool import Pool
from heron.settings import load_settings
from heron.wire import GenerateRequest, Sampling, TextPrompt

WAIT_S = 120
STORY = TextPrompt("# A very long list of prime numbers:\nprimes = [2, 3, 5, ")


async def settled(engine: Engine) -> dict[str, float]:
    """Metrics once nothing runs."""
    async with asyncio.timeout(WAIT_S):
        while (metrics := await engine.metrics())["running_requests"]:
            pass
    return metrics


@pytest.mark.usefixtures("real_home")
async def test_leaving_a_stream_stops_decoding_and_frees_the_pages() -> None:
    pool = Pool(load_settings())
    await pool.start()
    try:
        engine = await pool.engine(WAIT_S)
        request = GenerateRequest("long", STORY, Sampling(max_tokens=2000))
        received = 0
        async with aclosing(engine.generate(request)) as deltas:
            async for delta in deltas:
                received += len(delta.token_ids)
                if received >= 5:
                    break
        metrics = await settled(engine)
        assert metrics["decoded_tokens_total"] < 1000
        assert metrics["used_pages"] == 0
        again = await settled(engine)
        assert again["decoded_tokens_total"] == metrics["decoded_tokens_total"]
    finally:
        await pool.close()


def test_usage_tells_of_the_cached_prefix(http: httpx.Client) -> None:
    body = {"prompt": "def first(items):\n    return items[0]\n\n" * 20, "max_tokens": 4}
    answers = [http.post("/v1/completions", json=body).json() for _ in range(2)]
    usages = [answer["usage"] for answer in answers]
    cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert answers[0]["choices"] == answers[1]["choices"]
    assert cached[0] < 32
    assert cached[1] >= usages[1]["prompt_tokens"] - 16
