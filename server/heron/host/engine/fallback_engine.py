"""Another server as the engine, and a model of this machine while that does not answer.

The server is asked now and then. After two failures, or one of a request, requests go to the local model, which is
loaded then; after two answers they go back, and the local model's memory is freed when its last request has ended. An
answer that has begun is not gone on with by the other side: it would be another answer.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from heron.errors import HeronError, HostUnreachable
from heron.host.engine.engine import Engine
from heron.host.engine.spans import StepSpan
from heron.wire import Delta, GenerateRequest, ModelInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sides:
    """How each side is reached, both blocking: `connect` raises HeronError while the server does not answer.

    `tell` takes the sentence for the user, empty when all is as it should be. The server is asked every `check_s`.
    """

    connect: Callable[[], Engine]
    load: Callable[[], Engine]
    tell: Callable[[str], None]
    check_s: float = 5.0
    num_checks: int = 2


class FallbackEngine:
    """Goes by the name of the side it began with: clients know no other."""

    def __init__(self, sides: Sides, remote: Engine | None, local: Engine | None = None) -> None:
        first = remote or local
        assert first is not None, "one side has to be there"
        self._sides, self._remote, self._model = sides, remote, first.model
        self._local: asyncio.Future[Engine] | None = None
        self._given_local = local
        self._watching: asyncio.Task[None] | None = None
        self._num_local = 0
        self._num_falls = 0

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        self._watch()
        remote, has_begun = self._remote, False
        if remote is not None:
            try:
                async with aclosing(remote.generate(request)) as deltas:
                    async for delta in deltas:
                        has_begun = True
                        yield delta
                return
            except HostUnreachable as error:
                self._fall(remote, error)
                if has_begun:
                    raise
        async with aclosing(self._generate_here(request)) as deltas:
            async for delta in deltas:
                yield delta

    async def tokenize(self, text: str) -> list[int]:
        self._watch()
        return await (self._remote or await self._load()).tokenize(text)

    async def metrics(self) -> dict[str, float]:
        """Those of the side that answers, and which one that is."""
        loaded = self._loaded()
        numbers = await side.metrics() if (side := self._remote or loaded) else {}
        own = {"fallback": float(self._remote is None), "fallbacks_total": float(self._num_falls)}
        return numbers | own | {"remote_up": float(self._remote is not None)}

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        return await loaded.steps(since_s) if (loaded := self._loaded()) else ()

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._remote is not None:
            await self._remote.close()
        await self._free()

    async def _generate_here(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        self._num_local += 1
        try:
            local = await self._load()
            async with aclosing(local.generate(request)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._num_local -= 1

    def _watch(self) -> None:
        """Begin to ask the server now and then, in the event loop that uses this engine."""
        if self._given_local is not None:
            self._local = asyncio.get_running_loop().create_future()
            self._local.set_result(self._given_local)
            self._given_local = None
            self._tell(HostUnreachable("The remote server does not answer."))
        if self._watching is None:
            self._watching = asyncio.create_task(self._check_for_ever(), name="remote-watch")

    async def _check_for_ever(self) -> None:
        num_same = 0
        while True:
            await asyncio.sleep(self._sides.check_s)
            was_there, found = self._remote, await self._connect()
            differs = (found is None) != (was_there is None)
            num_same = num_same + 1 if differs else 0
            if num_same >= self._sides.num_checks:
                num_same = 0
                self._change(was_there, found)
            elif found is not None:
                await found.close()
            if self._remote is not None and not self._num_local:
                await self._free()

    def _change(self, remote: Engine | None, found: Engine | None) -> None:
        if remote is not None:
            self._fall(remote, HostUnreachable("The remote server does not answer."))
        elif self._remote is None:
            self._remote = found
            _log.info("the remote server answers again")
            self._sides.tell("")

    def _fall(self, remote: Engine, error: HostUnreachable) -> None:
        """Go on here, unless another request noticed before."""
        if self._remote is not remote:
            return
        self._remote = None
        self._num_falls += 1
        _log.warning("the local model takes over: %s", error)
        self._tell(error)

    def _tell(self, error: HostUnreachable) -> None:
        self._sides.tell(f"{error.message} A model of this machine answers until it does.")

    async def _connect(self) -> Engine | None:
        with suppress(HeronError):
            return await asyncio.to_thread(self._sides.connect)
        return None

    async def _load(self) -> Engine:
        """The local model; loaded once, whoever asks. A failure is told to all who waited, then tried again."""
        if self._local is None or (self._local.done() and self._local.exception()):
            self._local = asyncio.ensure_future(asyncio.to_thread(self._sides.load))
        return await asyncio.shield(self._local)

    def _loaded(self) -> Engine | None:
        is_there = self._local is not None and self._local.done() and not self._local.exception()
        return self._local.result() if self._local is not None and is_there else None

    async def _free(self) -> None:
        """Give the local model's memory back."""
        loaded, self._local = self._loaded(), None
        if loaded is not None:
            await loaded.close()
