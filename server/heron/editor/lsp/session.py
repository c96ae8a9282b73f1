"""What one connection to an editor shares between its capabilities."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from heron.discovery import HostAddress
from heron.editor.client.client import Client
from heron.editor.context.trail import Trail
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
    from heron.editor.context.view import Scenery
    from heron.editor.features.actions.actions import Actions
    from heron.editor.features.chat.chat import Chat
    from heron.editor.features.complete import Completer
    from heron.editor.stats.ledger import Ledger
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
    diagnostics: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    client: Client = field(init=False)
    watch: HostWatch = field(init=False)
    indexing: Indexing = field(init=False)
    turns: dict[str, RunningTurn] = field(default_factory=dict)
    """By conversation."""
    popup: "asyncio.Task[tuple[str, ...]] | None" = field(default=None, init=False)
    """Makes what the popup may show at the next key."""
    resting: "asyncio.Task[None] | None" = field(default=None, init=False)
    """Tells the completer where the cursor rests."""
    trail: Trail = field(default_factory=Trail, init=False)
    changes: str = field(default="", init=False)
    """git's diff since the last commit, as it was at the last save."""
    diffing: "asyncio.Task[None] | None" = field(default=None, init=False)
    _chat_client: Client | None = field(default=None, init=False)
    _ledger: "Ledger | None" = field(default=None, init=False)
    _completer: "Completer | None" = field(default=None, init=False)
    _chat: "Chat | None" = field(default=None, init=False)
    _actions: "Actions | None" = field(default=None, init=False)
    _toolbox: "Toolbox | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.client = Client(lambda: self.connect(self.settings), lambda: self.settings.model.name)
        self.watch = HostWatch(self.server, self.client, self.warn)
        self.indexing = Indexing(self.server, self.documents.get)

    @property
    def chat_client(self) -> Client:
        """Who answers chat, actions and edits: the model of `chat.model`, else the one that completes."""
        if not self.settings.chat.model:
            return self.client
        if self._chat_client is None:
            self._chat_client = Client(
                lambda: self.connect(self.settings), lambda: self.settings.chat.model, insist=True
            )
        return self._chat_client

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
            from heron.editor.context.surroundings import Surroundings
            from heron.editor.features.complete import Completer

            self._completer = Completer(self.client, Surroundings(self._look_around))
        return self._completer

    @property
    def ledger(self) -> "Ledger | None":
        """Keeps what became of completions; None where that is switched off. Made at first use, as `completer` is."""
        if not self.settings.stats.enabled:
            return None
        if self._ledger is None:
            from heron.editor.stats.ledger import Ledger
            from heron.editor.stats.store import NAME, open_store

            self._ledger = Ledger(partial(open_store, home_folder() / NAME))
        return self._ledger

    def _look_around(self) -> "Scenery | None":
        """What completions may show of the workspace; None without an index."""
        from heron.editor.context.view import Scenery

        if self.index is None:
            return None
        return Scenery(
            self.index,
            self.documents.snapshots,
            lambda: self.trail.regions,
            lambda uri: self.diagnostics.get(uri, ()),
            lambda: self.changes,
        )

    @property
    def tools(self) -> "Registry":
        """What a model may call; made at first use, tools of MCP servers come in as these answer."""
        if self._toolbox is None:
            from heron.editor.tools.toolbox import Toolbox

            self._toolbox = Toolbox(self.settings.tools, home_folder(), self.warn)
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

    def warn(self, fault: str) -> None:
        """Show a sentence to the user."""
        self.server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"Heron: {fault}"))

    async def reconnect(self) -> None:
        """Leave the present host for the one the settings name."""
        await self._close_clients()
        self.watch.restart()

    def dismiss(self, uri: str) -> None:
        """The completion shown in a document was sent away."""
        if self._completer is not None:
            self._completer.dismiss(uri)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        if self._ledger is not None:
            self._ledger.leave(uri)
        if self._completer is not None:
            self._completer.forget(uri)
        if self._actions is not None:
            self._actions.forget(uri)

    async def close(self) -> None:
        """End all that runs for this editor."""
        self.watch.close()
        for task in (self.resting, self.diffing, self.popup):
            if task is not None:
                task.cancel()
        if self._ledger is not None:
            self._ledger.close()
        await self.indexing.close()
        await self._end_turns()
        if self._completer is not None:
            self._completer.close()
        await self.drop_tools()
        await self._close_clients()

    async def _close_clients(self) -> None:
        await self.client.close()
        if self._chat_client is not None:
            await self._chat_client.close()

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
