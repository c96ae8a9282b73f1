"""The host's state as the editor is told it: `heron/status` on each change, work-done progress while it loads."""

import asyncio
import logging
from collections.abc import Callable

from pygls.lsp.server import LanguageServer

from heron.editor.client.client import Client
from heron.editor.lsp.notices import Notices
from heron.editor.lsp.progress import LoadProgress
from heron.editor.lsp.protocol import STATUS, status_params
from heron.errors import HeronError
from heron.wire import Health

logger = logging.getLogger(__name__)

_POLL_S = 0.25
_RETRY_S = 5.0


class HostWatch:
    """Brings the host up and follows its health until the model is ready; looks again when `check` is called."""

    def __init__(self, server: LanguageServer, client: Client, show: Callable[[str], None]) -> None:
        self._server = server
        self._client = client
        self._progress = LoadProgress(server)
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._notices = Notices(show)
        self._notice = ""
        client.on_notice = self._look
        self._ready = asyncio.Event()
        self.health: Health | None = None

    def check(self) -> None:
        """Find or start the host in the background, and follow it until its model is ready or has failed."""
        if self._task is None or self._task.done():
            self.restart()

    def restart(self) -> None:
        """Begin anew, though it may be following a host, or waiting before it looks again."""
        self.close()
        self._ready.clear()
        self._task = asyncio.create_task(self._follow())

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    async def wait_ready(self, patience_s: float) -> bool:
        """Whether the model is ready, or becomes so within that time."""
        try:
            async with asyncio.timeout(patience_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        for task in (self._task, self._looking):
            if task is not None:
                task.cancel()

    def _look(self, notice: str) -> None:
        """The host said something new of itself with an answer."""
        self._notice = notice
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_until_known())

    async def _look_until_known(self) -> None:
        """Read the host's state, and once more if it says something else meanwhile: what was read may be older."""
        notice = None
        while notice != self._notice:
            notice = self._notice
            await self._tell(await self._ask())

    async def _follow(self) -> None:
        while True:
            health = await self._ask()
            await self._tell(health)
            if health.state == "ready":
                self._ready.set()
                return
            if health.state == "failed":
                await asyncio.sleep(_RETRY_S)  # checks are ignored for so long
                return
            await asyncio.sleep(_POLL_S)

    async def _ask(self) -> Health:
        try:
            return await self._client.health()
        except HeronError as error:
            return Health("failed", message=str(error))
        except Exception:
            logger.exception("The host's health cannot be read")
            return Health("failed", message="Heron's host cannot be reached; the log has the cause.")

    async def _tell(self, health: Health) -> None:
        before, self.health = self.health, health
        if health == before:
            return
        self._notices.hear(health)
        if before is None or (health.state, health.message) != (before.state, before.message):
            level = logging.WARNING if health.state == "failed" else logging.INFO
            logger.log(level, "The host is %s: %s %s", health.state, health.model, health.message)
        self._server.protocol.notify(STATUS, status_params(health))
        await self._progress.show(health)
