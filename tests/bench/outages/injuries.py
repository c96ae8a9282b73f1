"""What is done to the processes and the disk, and how long it takes until a question is answered again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.outages.clients import Tally, ask_of, open_stream_client, read_insistently
from bench.outages.place import Place

_FULL_S, _NAP_S = 1.0, 4.0
_PIECE = b"\0" * (1 << 20)
_SETTLED_S = 0.4


@dataclass(frozen=True, slots=True)
class Injury:
    """One thing that was done, how long after it a question asked then was answered, and whether by the same ones."""

    kind: str
    recovery_s: float
    same_ones: bool


async def kill_worker(place: Place) -> None:
    _with(place.worker(), psutil.Process.kill)


async def stop_worker(place: Place) -> None:
    """It is never let go on: somebody has to notice."""
    _with(place.worker(), psutil.Process.suspend)


async def kill_host(place: Place) -> None:
    _with(place.host(), psutil.Process.kill)


async def stop_host(place: Place) -> None:
    _with(place.host(), psutil.Process.suspend)


async def sleep_all(place: Place) -> None:
    """As the machine does: all stop, this process too, and go on. Nobody may take the others for hung."""
    asleep = [one for one in (place.host(), place.worker(), *_editors()) if one is not None]
    for one in asleep:
        _with(one, psutil.Process.suspend)
    time.sleep(_NAP_S)  # noqa: ASYNC251  # all that runs here is to stop
    for one in asleep:
        _with(one, psutil.Process.resume)


async def kill_editor(place: Place) -> None:
    """One of the language servers."""
    if servers := _editors():
        _with(random.choice(servers), psutil.Process.kill)


async def fill_disk(place: Place) -> None:
    with suppress(OSError), place.ballast.open("wb", buffering=0) as file:
        while True:
            file.write(_PIECE)
    with suppress(OSError), place.ballast.open("ab", buffering=0) as file:  # the last bytes
        while True:
            file.write(_PIECE[:512])
    await asyncio.sleep(_FULL_S)
    place.ballast.unlink()


KINDS: dict[str, Callable[[Place], Awaitable[None]]] = {
    "kill worker": kill_worker,
    "stop worker": stop_worker,
    "kill host": kill_host,
    "stop host": stop_host,
    "sleep": sleep_all,
    "kill editor": kill_editor,
    "full disk": fill_disk,
}
_WEIGHTS = {"kill worker": 4, "stop worker": 2, "kill host": 2, "stop host": 1, "sleep": 1, "kill editor": 1}


def draw_kinds(rng: random.Random, count: int, can_fill: bool) -> list[str]:
    """As many kinds in random order, each at least once where there are enough."""
    weights = _WEIGHTS | ({"full disk": 2} if can_fill else {})
    first = list(weights)
    kinds = first[:count] + rng.choices(list(weights), list(weights.values()), k=max(0, count - len(first)))
    rng.shuffle(kinds)
    return kinds


async def hurt(place: Place, kind: str) -> Injury:
    """Do it, then ask until there is an answer: both count."""
    began, before = time.monotonic(), _ids(place)
    await KINDS[kind](place)
    client = open_stream_client(place)
    try:
        async for _ in read_insistently(client, ask_of(f"x = {began}", 0), Tally()):
            pass
    finally:
        await client.close()
    injury = Injury(kind, time.monotonic() - began, _ids(place) == before)
    await asyncio.sleep(_SETTLED_S * random.random())
    return injury


def _with(process: psutil.Process | None, act: Callable[[psutil.Process], object]) -> None:
    with suppress(psutil.Error):
        if process is not None:
            act(process)


def _ids(place: Place) -> tuple[int | None, ...]:
    """Which host and worker there are."""
    return tuple(one.pid if one else None for one in (place.host(), place.worker()))


def _editors() -> list[psutil.Process]:
    """The language servers, which this process started."""
    return [child for child in psutil.Process().children() if "lsp" in _words(child)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
