"""Time limits and machines that sleep."""

import asyncio
from collections.abc import Callable

import pytest

from heron.host.recovery.patience import SLICE_S, Patience


def sleeping_clock(gap_s: float) -> Callable[[], float]:
    """A clock on which this much passes from each reading to the next."""
    now_s = 0.0

    def read() -> float:
        nonlocal now_s
        now_s += gap_s
        return now_s

    return read


def never() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


async def test_an_hour_of_sleep_is_no_hour_of_silence() -> None:
    patience, answer = Patience(60.0, sleeping_clock(3600.0)), never()
    assert not await patience.wait_slice(answer)
    assert patience.spent_s == 2 * SLICE_S
    answer.set_result(None)
    assert await patience.wait(answer), "there is time left to take in the answer"


@pytest.mark.parametrize("limit_s", [0.0, 0.01, SLICE_S + 0.01])
async def test_it_runs_out_while_awake(limit_s: float) -> None:
    assert not await Patience(limit_s).wait(never())


async def test_what_is_heard_begins_it_anew() -> None:
    patience = Patience(0.01)
    assert not await patience.wait(never())
    patience.renew()
    assert patience.spent_s == 0
