"""The client, asked only once the host's model is ready; it may be loading, or have left for being idle."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Client, Infill
from heron.editor.client.resume import Told
from heron.editor.lsp.status import HostWatch
from heron.errors import HostUnreachable, ModelNotReady
from heron.wire import Delta, ModelInfo

_LOOK_S = 0.5
_MAX_VAIN = 3
"""So often in a row a server may be lost that told nothing new."""


@dataclass(frozen=True, slots=True)
class ReadySource:
    """Waits without end for a model that comes: whoever asks has a time limit. A model that failed is an error."""

    client: Client
    watch: HostWatch

    async def model(self) -> ModelInfo:
        await self._wait()
        return await self.client.model()

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]:
        """Deltas as the client gives them; where the host is lost, they go on with the next one's."""
        async with aclosing(self._insist(lambda: self.client.chat(ask))) as deltas:
            async for delta in deltas:
                yield delta

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        """As `chat`."""
        async with aclosing(self._insist(lambda: self.client.complete(infill))) as deltas:
            async for delta in deltas:
                yield delta

    async def _insist(self, begin: Callable[[], AsyncGenerator[Delta, None]]) -> AsyncGenerator[Delta, None]:
        told, num_vain = Told(), 0
        while True:
            await self._wait()
            told.begin()
            try:
                async with aclosing(begin()) as deltas:
                    async for delta in deltas:
                        if (fresh := told.pass_on(delta)) is not None:
                            yield fresh
                return
            except (ModelNotReady, HostUnreachable):
                num_vain = 0 if told.has_gained else num_vain + 1
                if num_vain >= _MAX_VAIN:
                    raise
                self.watch.check()

    async def _wait(self) -> None:
        if self.watch.is_ready:
            return
        self.watch.check()
        while not await self.watch.wait_ready(_LOOK_S):
            health = self.watch.health
            if health is not None and health.state == "failed":
                raise ModelNotReady(health.message or "The model could not be loaded.")
