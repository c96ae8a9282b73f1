"""Keeping the index of one editor's workspace: opened and scanned in the background, then kept up with changes."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from heron.editor.document import Document
from heron.editor.lsp.index_progress import ScanProgress
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.uris import path_of_uri
from heron.errors import HeronError
from heron.settings import cache_folder

if TYPE_CHECKING:
    from heron.editor.context.index.index import Index

logger = logging.getLogger(__name__)

IDLE_S = 0.5
"""Work waits until there was no change for so long."""
MAX_SINGLE_UPDATES = 100
"""More changed files than these are found quicker by a scan."""
_WATCHERS = types.DidChangeWatchedFilesRegistrationOptions(watchers=[types.FileSystemWatcher(glob_pattern="**/*")])


class Indexing:
    """The index of a workspace, if there is one. Nothing here is waited for by a request."""

    def __init__(self, server: LanguageServer, find_document: Callable[[str], Document | None]) -> None:
        self._server = server
        self._find_document = find_document
        self._task: asyncio.Task[None] | None = None
        self._flush: asyncio.Task[None] | None = None
        self._changed: set[str] = set()
        self._noted = 0
        self.index: Index | None = None
        self.is_scanned = False

    def start(self, workspace: Workspace) -> None:
        """Open and scan the index of these folders in the place of any before."""
        self._task = asyncio.ensure_future(self._run(workspace, self._task))

    def note_change(self, uri: str) -> None:
        """A document was opened, edited, saved or closed, or a file changed on disk."""
        self._changed.add(uri)
        self._noted += 1
        if self.index is not None and (self._flush is None or self._flush.done()):
            self._flush = asyncio.ensure_future(self._flush_changes())

    async def settle(self) -> None:
        """Wait for all that is under way."""
        while tasks := [task for task in (self._task, self._flush) if task is not None and not task.done()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """End a scan and close the index."""
        tasks = [task for task in (self._task, self._flush) if task is not None]
        self._task = self._flush = None
        for task in tasks:
            task.cancel()
        self._close_index()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, workspace: Workspace, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            previous.cancel()
            await asyncio.wait([previous])
        self._close_index()
        if not workspace.folders:
            return
        await asyncio.sleep(IDLE_S)
        try:
            self.index = await asyncio.to_thread(_open_index, workspace)
            await self._scan(self.index)
            await self._watch()
        except HeronError as error:
            logger.warning("No index: %s", error)
        finally:
            if asyncio.current_task() is self._task and self._changed and self.index is not None:
                self.note_change(self._changed.pop())

    async def _scan(self, index: "Index") -> None:
        progress = ScanProgress(self._server)
        try:
            self.is_scanned = await asyncio.to_thread(index.scan, progress.show)
        finally:
            await progress.end()

    async def _watch(self) -> None:
        """Ask the client to tell of files that change on disk, if it can be asked."""
        workspace = self._server.client_capabilities.workspace
        watched = workspace and workspace.did_change_watched_files
        if not (watched and watched.dynamic_registration):
            return
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registration = types.Registration(id="heron-index", method=method, register_options=_WATCHERS)
        try:
            await self._server.client_register_capability_async(types.RegistrationParams([registration]))
        except JsonRpcException as error:
            logger.debug("The client does not watch files: %s", error)

    async def _flush_changes(self) -> None:
        """Bring the index up to what changed, once there was quiet."""
        while self._changed and self.index is not None:
            await self._wait_quiet()
            changed, self._changed = self._changed, set()
            await self._apply(self.index, changed)

    async def _wait_quiet(self) -> None:
        noted = -1
        while noted != self._noted:
            noted = self._noted
            await asyncio.sleep(IDLE_S)

    async def _apply(self, index: "Index", changed: set[str]) -> None:
        try:
            if len(changed) > MAX_SINGLE_UPDATES:
                await self._scan(index)
            for uri in changed:
                path = path_of_uri(uri)
                if path is not None and index.workspace.folder_of(path) is not None:
                    await asyncio.to_thread(_update, index, path, self._find_document(uri))
        except HeronError as error:
            logger.warning("The index could not be brought up to date: %s", error)

    def _close_index(self) -> None:
        index, self.index = self.index, None
        self.is_scanned = False
        if index is not None:
            index.close()


def _open_index(workspace: Workspace) -> "Index":
    from heron.editor.context.index.index import Index

    return Index.open(cache_folder() / "index", workspace)


def _update(index: "Index", path: Path, document: Document | None) -> None:
    """An open document counts as it is in the editor; what is not open, as it is on disk."""
    if document is not None:
        index.show(path, document)
    else:
        index.hide(path)
        index.update(path)
