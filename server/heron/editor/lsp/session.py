"""What one connection to an editor shares between its capabilities."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pygls.lsp.server import LanguageServer

from heron.discovery import HostAddress
from heron.editor.client.client import Client
from heron.editor.features.timings import Timings
from heron.editor.lsp.convert import Encoding
from heron.editor.lsp.documents import Documents
from heron.editor.lsp.status import HostWatch
from heron.settings import Settings

if TYPE_CHECKING:
    from heron.editor.features.complete import Completer

Connect = Callable[[Settings], Awaitable[HostAddress]]


@dataclass(slots=True)
class Session:
    """One editor. `settings`, `encoding` and the counters change while it lives; the rest is there from the start."""

    server: LanguageServer
    connect: Connect
    settings: Settings = field(default_factory=Settings)
    encoding: Encoding = Encoding.Utf16
    documents: Documents = field(default_factory=Documents)
    last_timings: Timings | None = None
    events: dict[str, int] = field(default_factory=dict)
    client: Client = field(init=False)
    watch: HostWatch = field(init=False)
    _completer: "Completer | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.client = Client(lambda: self.connect(self.settings), lambda: self.settings.model.name)
        self.watch = HostWatch(self.server, self.client)

    @property
    def completer(self) -> "Completer":
        """Made at first use: its import brings tree-sitter, for which `initialize` should not wait."""
        if self._completer is None:
            from heron.editor.features.complete import Completer

            self._completer = Completer(self.client)
        return self._completer

    async def reconnect(self) -> None:
        """Leave the present host for the one the settings name."""
        await self.client.close()
        self.watch.restart()

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        if self._completer is not None:
            self._completer.forget(uri)

    async def close(self) -> None:
        """End all that runs for this editor."""
        self.watch.close()
        if self._completer is not None:
            self._completer.close()
        await self.client.close()
