"""The client, asked only once the host's model is ready; it may be loading, or have left for being idle."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Client, Infill
from heron.editor.lsp.status import HostWatch
from heron.errors import ModelNotReady
from heron.wire import Delta, ModelInfo

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class ReadySource:
    """Waits without end for a model that comes: whoever asks has a time limit. A model that failed is an error."""

    client: Client
    watch: HostWatch

    async def model(self) -> ModelInfo:
        await self._wait()
        return await self.client.model()

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]:
        """Deltas as the client gives them; once more if the host turns out to have been restarted and to be loading."""
        async with aclosing(self._insist(lambda: self.client.chat(ask))) as deltas:
            async for delta in deltas:
                yield delta

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        """As `chat`."""
        async with aclosing(self._insist(lambda: self.client.complete(infill))) as deltas:
            async for delta in deltas:
                yield delta

    async def _insist(self, begin: Callable[[], AsyncGenerator[Delta, None]]) -> AsyncGenerator[Delta, None]:
        for last_try in (False, True):
            await self._wait()
            started = False
            try:
                async with aclosing(begin()) as deltas:
                    async for delta in deltas:
                        started = True
                        yield delta
                return
            except ModelNotReady:
                if started or last_try:
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
