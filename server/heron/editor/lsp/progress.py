"""Work-done progress of download, compile and load. LSP 3.18, "Server Initiated Progress"."""

import asyncio
import logging
import uuid

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from heron.wire import Health

logger = logging.getLogger(__name__)

_TITLES = {"downloading": "Downloading model", "compiling": "Compiling model", "loading": "Loading model"}
_PATIENCE_S = 5.0


async def open_token(server: LanguageServer) -> str | None:
    """A token the client agreed to show progress for; None from a client that shows none, or refuses it."""
    window = server.client_capabilities.window
    if not (window and window.work_done_progress):
        return None
    token = f"heron-{uuid.uuid4()}"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await server.work_done_progress.create_async(token)
    except (JsonRpcException, TimeoutError):
        logger.debug("The client gave no progress token")
        return None
    return token


class LoadProgress:
    """At most one progress bar; silent for a client that shows none, or refuses the token."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._token: str | None = None
        self._state = ""

    async def show(self, health: Health) -> None:
        """Bring the bar in line with the host's state."""
        if health.state != self._state:
            self._end()
            self._state = health.state
            if health.state in _TITLES:
                await self._begin(health)
        elif self._token is not None:
            report = types.WorkDoneProgressReport(message=health.message or None, percentage=_percentage(health))
            self._server.work_done_progress.report(self._token, report)

    async def _begin(self, health: Health) -> None:
        token = await open_token(self._server)
        if token is None:
            return
        title = f"{_TITLES[health.state]} {health.model}".strip()
        begin = types.WorkDoneProgressBegin(title, message=health.message or None, percentage=_percentage(health))
        self._server.work_done_progress.begin(token, begin)
        self._token = token

    def _end(self) -> None:
        if self._token is not None:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
            self._token = None


def _percentage(health: Health) -> int | None:
    return None if health.fraction is None else max(0, min(100, int(health.fraction * 100)))
