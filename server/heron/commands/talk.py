"""A conversation with `heron lsp` over its own protocol: what a chat view in an editor sends and gets."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from heron.commands.client import Client

Report = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Talk:
    """One conversation. `question` members are those of `conversation/turn`."""

    client: Client
    id: str
    title: str = ""
    turns: tuple[dict[str, Any], ...] = ()
    _tokens: Iterator[int] = field(default_factory=itertools.count)

    async def ask(self, message: str, report: Report, **question: Any) -> dict[str, Any]:
        """The finished turn; `report` is given each value of its progress. Cancelling cancels the turn."""
        token = f"{self.id}-{next(self._tokens)}"
        self.client.progress[token] = report
        params = {"conversationId": self.id, "message": message, "workDoneToken": token, **question}
        try:
            return dict(await self.client.peer.request("conversation/turn", params))
        finally:
            del self.client.progress[token]

    async def warm(self, **draft: Any) -> None:
        """Have the model read what a question that is being written will be asked with."""
        await self.client.peer.request("conversation/warm", {"conversationId": self.id, **draft})

    async def measure(self, message: str, **question: Any) -> tuple[dict[str, Any], float | None, float]:
        """The finished turn, and how many milliseconds it took to its first text and in all."""
        began = time.perf_counter()
        first: list[float] = []

        def note(value: dict[str, Any]) -> None:
            if value.get("reply") and not first:
                first.append((time.perf_counter() - began) * 1000)

        turn = await self.ask(message, note, **question)
        return turn, first[0] if first else None, (time.perf_counter() - began) * 1000


async def begin_talk(client: Client, conversation_id: str = "") -> Talk:
    """A new conversation, or one that is kept."""
    params = {"conversationId": conversation_id} if conversation_id else {}
    made = await client.peer.request("conversation/create", params)
    return Talk(client, made["conversationId"], made["title"], tuple(made["turns"]))


async def list_talks(client: Client, limit: int = 20) -> list[dict[str, Any]]:
    """What is kept of the workspace, the one that changed last first."""
    return list((await client.peer.request("conversation/list", {"limit": limit}))["conversations"])
