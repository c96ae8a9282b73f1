"""What one connection to an editor shares between its capabilities."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from heron.discovery import HostAddress
from heron.editor.client.client import Client
from heron.editor.diagnostic import Diagnostic
from heron.editor.features.timings import Timings
from heron.editor.lsp.convert import Encoding
from heron.editor.lsp.documents import Documents
from heron.editor.lsp.indexing import Indexing
from heron.editor.lsp.status import HostWatch
from heron.editor.workspace.folders import Workspace, open_workspace
from heron.editor.workspace.uris import path_of_uri
from heron.settings import Settings, home_folder

if TYPE_CHECKING:
    from heron.editor.context.index.index import Index
    from heron.editor.features.actions.actions import Actions
    from heron.editor.features.chat.chat import Chat
    from heron.editor.features.complete import Completer
    from heron.editor.tools.registry import Registry
    from heron.editor.tools.toolbox import Toolbox

Connect = Callable[[Settings], Awaitable[HostAddress]]


@dataclass(frozen=True, slots=True)
class RunningTurn:
    """A chat turn that runs: cancelling its task ends it. `token` is that of its progress, if it has any."""

    task: asyncio.Task[object]
    token: str | int | None


@dataclass(slots=True)
class Session:
    """One editor. `settings`, `encoding` and the counters change while it lives; the rest is there from the start."""

    server: LanguageServer
    connect: Connect
    open_chat: Callable[["Session"], "Chat"]
    settings: Settings = field(default_factory=Settings)
    encoding: Encoding = Encoding.Utf16
    documents: Documents = field(default_factory=Documents)
    last_timings: Timings | None = None
    events: dict[str, int] = field(default_factory=dict)
    diagnostics: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    client: Client = field(init=False)
    watch: HostWatch = field(init=False)
    indexing: Indexing = field(init=False)
    turns: dict[str, RunningTurn] = field(default_factory=dict)
    """By conversation."""
    _completer: "Completer | None" = field(default=None, init=False)
    _chat: "Chat | None" = field(default=None, init=False)
    _actions: "Actions | None" = field(default=None, init=False)
    _toolbox: "Toolbox | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.client = Client(lambda: self.connect(self.settings), lambda: self.settings.model.name)
        self.watch = HostWatch(self.server, self.client)
        self.indexing = Indexing(self.server, self.documents.get)

    @property
    def workspace(self) -> Workspace:
        """The client's folders as they are now; its root where it knows no folders."""
        told = self.server.workspace
        paths = [path_of_uri(uri) for uri in told.folders or filter(None, [told.root_uri])]
        return open_workspace([path for path in paths if path is not None], self.settings.context.exclude)

    @property
    def index(self) -> "Index | None":
        """What is known of the workspace; None before it is opened, and where there is none."""
        return self.indexing.index

    def start_indexing(self) -> None:
        """Make the index of the present folders and settings, in the background."""
        self.indexing.start(self.workspace if self.settings.index.enabled else Workspace())

    @property
    def completer(self) -> "Completer":
        """Made at first use: its import brings tree-sitter, for which `initialize` should not wait."""
        if self._completer is None:
            from heron.editor.features.complete import Completer

            self._completer = Completer(self.client)
        return self._completer

    @property
    def tools(self) -> "Registry":
        """What a model may call; made at first use, tools of MCP servers come in as these answer."""
        if self._toolbox is None:
            from heron.editor.tools.toolbox import Toolbox

            self._toolbox = Toolbox(self.settings.tools, home_folder(), self._warn)
            self._toolbox.open()
        return self._toolbox.registry

    @property
    def chat(self) -> "Chat":
        """Made at first use, when the store is opened too."""
        if self._chat is None:
            self._chat = self.open_chat(self)
        return self._chat

    @property
    def actions(self) -> "Actions":
        """Made at first use, as `completer` is."""
        if self._actions is None:
            from heron.editor.features.actions.actions import Actions

            self._actions = Actions()
        return self._actions

    async def drop_tools(self) -> None:
        """End what the tools keep running; `tools` makes them anew, by the settings as they are then."""
        toolbox, self._toolbox = self._toolbox, None
        if toolbox is not None:
            await toolbox.close()

    def _warn(self, fault: str) -> None:
        self.server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"Heron: {fault}"))

    async def reconnect(self) -> None:
        """Leave the present host for the one the settings name."""
        await self.client.close()
        self.watch.restart()

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        if self._completer is not None:
            self._completer.forget(uri)
        if self._actions is not None:
            self._actions.forget(uri)

    async def close(self) -> None:
        """End all that runs for this editor."""
        self.watch.close()
        await self.indexing.close()
        await self._end_turns()
        if self._completer is not None:
            self._completer.close()
        await self.drop_tools()
        await self.client.close()

    async def _end_turns(self) -> None:
        """Cancel what chats, so that each turn is kept as far as it came, then close the store."""
        tasks = [turn.task for turn in self.turns.values() if turn.task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._chat is not None:
            self._chat.close()
            self._chat = None
