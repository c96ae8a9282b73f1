"""Work-done progress of a scan of the workspace. LSP 3.18, "Server Initiated Progress"."""

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

if TYPE_CHECKING:
    from heron.editor.context.index.symbol import Progress

logger = logging.getLogger(__name__)

MIN_FILES = 50
"""A scan of fewer is over before anybody has read what the bar says."""
_PATIENCE_S = 5.0


class ScanProgress:
    """At most one bar for one scan. `show` may come from any thread, the rest from the loop's."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._token = f"heron-index-{uuid.uuid4()}"
        self._begun: asyncio.Task[bool] | None = None

    def show(self, progress: "Progress") -> None:
        """Take what a scan reports."""
        if progress.total >= MIN_FILES:
            self._loop.call_soon_threadsafe(self._show, progress.done, progress.total)

    async def end(self) -> None:
        """Take the bar away."""
        await asyncio.sleep(0)  # what `show` left to the loop comes first
        if self._begun is not None and await self._begun:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd())

    def _show(self, done: int, total: int) -> None:
        if self._begun is None:
            self._begun = asyncio.ensure_future(self._begin())
        elif self._begun.done() and self._begun.result():
            report = types.WorkDoneProgressReport(message=f"{done} of {total} files", percentage=100 * done // total)
            self._server.work_done_progress.report(self._token, report)

    async def _begin(self) -> bool:
        window = self._server.client_capabilities.window
        if not (window and window.work_done_progress):
            return False
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._server.work_done_progress.create_async(self._token)
        except (JsonRpcException, TimeoutError):
            logger.debug("The client gave no progress token")
            return False
        begin = types.WorkDoneProgressBegin("Indexing workspace", percentage=0)
        self._server.work_done_progress.begin(self._token, begin)
        return True
