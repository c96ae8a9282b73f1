"""Several models at once: the chosen one, and others that requests name, as far as memory goes.

Each has a pool, and so a worker, of its own. A model that does not fit makes room by unloading the least recently used
one that is idle; if that is not enough it is refused with the numbers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from heron.errors import OutOfMemory, Overloaded, UnknownModel
from heron.host.engine.engine import Engine
from heron.host.engine.pipe import Init
from heron.host.engine.scripted import Script
from heron.host.engine.spans import StepSpan
from heron.host.models.store import list_installed, next_smaller
from heron.host.pool import Pool
from heron.host.workers import WorkerProcess
from heron.settings import Settings
from heron.wire import Health

_log = logging.getLogger(__name__)

MakeRoom = Callable[[], Awaitable[bool]]
MakePool = Callable[[str, MakeRoom], Pool]
"""A pool for a model by name, "" for the one the settings choose, and what frees memory for it."""


class Fleet:
    """The pools of one host. `installed` names the models that requests may load: nothing is fetched for them.

    `smaller` names the next smaller one of these, empty if there is none.
    """

    def __init__(
        self,
        make_pool: MakePool,
        installed: Callable[[], tuple[str, ...]],
        smaller: Callable[[str], str] = lambda model: "",
    ) -> None:
        self._make_pool, self._installed, self._smaller = make_pool, installed, smaller
        self._main = make_pool("", partial(self._make_room, ""))
        self._others: dict[str, Pool] = {}
        self._loading = asyncio.Lock()

    async def start(self) -> None:
        """Begin to load the chosen model; the others wait to be asked for."""
        await self._main.start()

    def health(self) -> Health:
        """The state of the chosen model."""
        return self._main.health()

    def others(self) -> tuple[Health, ...]:
        """The state of every other model that is installed, in the order of their names."""
        names = sorted({*self._others, *self._installed()} - {self._main.health().model})
        return tuple(self._others[name].health() if name in self._others else _at_rest(name) for name in names)

    async def engine(self) -> Engine:
        """The engine of the chosen model."""
        with self._offering_smaller(self._main.health().model):
            return await self._main.engine()

    async def other_engine(self, model: str) -> Engine:
        """The engine of another installed model, loaded if it never was.

        Raises UnknownModel for one that is not here, and what keeps it from being loaded.
        """
        async with self._loading:  # one at a time: each is measured against what the others left
            pool = self._others.get(model) or self._add(model)
            if pool.health().state in ("starting", "failed"):  # what it lacked then may be there now
                await pool.start()
            with self._offering_smaller(model):
                return await pool.engine()

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges of the chosen model."""
        return await self._main.metrics()

    async def metrics_of_others(self) -> dict[str, dict[str, float]]:
        """Those of the others that were asked for, by name."""
        return {name: await pool.metrics() for name, pool in self._others.items()}

    async def steps(self, since_s: float) -> dict[str, tuple[StepSpan, ...]]:
        """What the steps since then were spent on, by model."""
        pools = (self._main, *self._others.values())
        return {pool.health().model: await pool.steps(since_s) for pool in pools}

    async def unload(self, model: str = "") -> None:
        """Give a model's memory back now, or that of all. Raises Overloaded while requests run on it, UnknownModel."""
        for pool in self._find(model) if model else (self._main, *self._others.values()):
            await pool.unload()

    async def wake(self, model: str = "") -> None:
        """Load a model, or the chosen one, again if it was unloaded; returns at once."""
        is_chosen = model in ("", self._main.health().model)
        if pool := self._main if is_chosen else self._others.get(model):
            await pool.wake()

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(self._main.close(), *(pool.close() for pool in self._others.values()))

    @contextmanager
    def _offering_smaller(self, model: str) -> Iterator[None]:
        """Name the next smaller model that is here to whom this one is refused for lack of memory."""
        try:
            yield
        except OutOfMemory as error:
            if smaller := self._smaller(model):
                raise OutOfMemory(error.message, hint=f"{smaller} is smaller and on this machine: use it.") from error
            raise

    def _find(self, model: str) -> tuple[Pool, ...]:
        """The pool of a model, none if it is installed and nobody has asked for it yet. Raises UnknownModel."""
        if model == self._main.health().model:
            return (self._main,)
        if model in self._others:
            return (self._others[model],)
        self._check_installed(model)
        return ()

    def _check_installed(self, model: str) -> None:
        if model not in self._installed():
            known = ", ".join(map(repr, dict.fromkeys([self._main.health().model, *self._installed()])))
            raise UnknownModel(
                f"The model {model!a} is not on this machine.",
                hint=f"Here are: {known}. Another is fetched with heron models pull.",
            )

    def _add(self, model: str) -> Pool:
        self._check_installed(model)
        self._others[model] = self._make_pool(model, partial(self._make_room, model))
        return self._others[model]

    async def _make_room(self, model: str) -> bool:
        """Unload the idle model that was longest not asked for; whether there was one."""
        pools = [pool for name, pool in {"": self._main, **self._others}.items() if name != model]
        for pool in sorted(pools, key=lambda pool: pool.idle_s, reverse=True):
            if await _unload(pool):
                _log.info("Unloaded %s to make room", pool.health().model)
                return True
        return False


def open_fleet(settings: Settings, script: Script | None = None) -> Fleet:
    """The models of these settings, each in a worker process; with a script fixed answers in their place."""

    def make_pool(model: str, make_room: MakeRoom) -> Pool:
        own = replace(settings, model=replace(settings.model, name=model)) if model else settings
        return Pool(own, lambda less: WorkerProcess(Init(less, script=script)), make_room=make_room)

    return Fleet(make_pool, list_installed, next_smaller)


async def _unload(pool: Pool) -> bool:
    """Whether a pool gave its model's memory back."""
    if not pool.is_loaded:
        return False
    try:
        await pool.unload()
    except Overloaded:
        return False
    await pool.wait_unloaded()
    return True


def _at_rest(name: str) -> Health:
    return Health("ready", name, "Not loaded; the first request loads it.")
