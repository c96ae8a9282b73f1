"""Two editors that type a segment and ask for a completion at each key: over LSP, and over `/infill`.

The first drops a request that is still in flight when the next key comes, as editors do with a language server.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from bench.trace import Segment
from heron.commands.rpc import Peer, PeerError
from heron.editor.document import Document, Position

_LAST_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of the request at one key. `answer_ms` counts from the key; None: dropped for the next key."""

    pause_ms: float
    answer_ms: float | None
    text: str = ""
    called_model: bool = True
    prefilled_tokens: int | None = None
    """Tokens of the prompt that were not in the KV cache, where the server told it."""
    window: str = ""
    """How much of the document was asked with, where the server told it."""

    @property
    def in_time(self) -> bool:
        return self.answer_ms is not None and self.answer_ms < self.pause_ms


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    called_model: bool
    prefilled_tokens: int | None = None
    window: str = ""


class Editor(Protocol):
    async def open(self, segment: Segment) -> None: ...
    async def type(self, text: str) -> None: ...
    async def ask(self) -> Reply: ...
    async def close(self) -> None: ...


async def type_segment(editor: Editor, segment: Segment) -> list[Asked]:
    """Type at the trace's own pace, whatever the answers do."""
    await editor.open(segment)
    asked: list[Asked] = []
    for number, key in enumerate(segment.keys):
        pause_s = key.pause_s if number + 1 < len(segment.keys) else _LAST_WAIT_S
        await editor.type(key.text)
        asked.append(await _ask_within(editor.ask, pause_s))
    await editor.close()
    return asked


async def _ask_within(ask: Callable[[], Awaitable[Reply]], pause_s: float) -> Asked:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(pause_s):
            reply = await ask()
    except TimeoutError:
        return Asked(pause_s * 1000, None)
    answer_s = time.perf_counter() - began
    await asyncio.sleep(max(0.0, pause_s - answer_s))
    told = (reply.text, reply.called_model, reply.prefilled_tokens, reply.window)
    return Asked(pause_s * 1000, answer_s * 1000, *told)


@dataclass(slots=True)
class LspEditor:
    """An editor on `heron lsp`; cancelling a request sends `$/cancelRequest`.

    The cursor rests for `rest_s` where the typing will begin, and the server is told.
    """

    peer: Peer
    rest_s: float = 0.0
    _uri: str = ""
    _version: int = 0
    _text: str = ""
    _offset: int = 0
    _opened: int = 0

    async def open(self, segment: Segment) -> None:
        self._opened += 1
        self._uri, self._version = f"file:///trace/{self._opened}/{segment.path}", 1
        self._text, self._offset = segment.before + segment.after, len(segment.before)
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": self._text}
        self.peer.notify("textDocument/didOpen", {"textDocument": document})
        if self.rest_s:
            cursor = {"textDocument": {"uri": self._uri}, "position": _place(self._position())}
            self.peer.notify("heron/didChangeCursor", cursor)
            await asyncio.sleep(self.rest_s)

    async def type(self, text: str) -> None:
        place = _place(self._position())
        self._version += 1
        change = {"range": {"start": place, "end": place}, "text": text}
        identifier = {"uri": self._uri, "version": self._version}
        self.peer.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})
        self._text = self._text[: self._offset] + text + self._text[self._offset :]
        self._offset += len(text)

    async def ask(self) -> Reply:
        document = {"uri": self._uri}
        params = {"textDocument": document, "position": _place(self._position()), "context": {"triggerKind": 2}}
        try:
            items = await self.peer.request("textDocument/inlineCompletion", params)
        except PeerError:
            return Reply("", called_model=True)
        timings = await self.peer.request("heron/lastTimings", {}) or {}
        items = items.get("items") if isinstance(items, dict) else items
        called = timings.get("promptTokens") is not None or _called(timings)
        text = items[0]["insertText"] if items else ""
        return Reply(text, called, _prefilled(timings), timings.get("window") or "")

    async def close(self) -> None:
        self.peer.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})

    def _position(self) -> Position:
        return Document(self._uri, self._version, "python", self._text).position(self._offset)


def _called(timings: dict[str, Any]) -> bool:
    return timings.get("firstTokenMs") is not None and timings.get("outcome") != "typed_through"


def _prefilled(timings: dict[str, Any]) -> int | None:
    if timings.get("promptTokens") is None or timings.get("outcome") == "typed_through" or timings.get("adopted"):
        return None
    return int(timings["promptTokens"]) - int(timings.get("cachedTokens") or 0)


def _place(position: Position) -> dict[str, int]:
    return {"line": position.line, "character": position.column}


@dataclass(slots=True)
class InfillEditor:
    """An editor on `llama-server`'s `/infill`, which keeps the last completion while it is typed, as llama.vim does.

    One request runs at a time and is not dropped: on a slow machine a server that is cut off at every key never gets
    to an answer. A key that comes meanwhile waits for it and asks anew only if the answer does not fit any more.
    The windows in characters are about as large as Heron's in tokens; the rest are llama.vim's own settings.
    """

    http: httpx.AsyncClient
    prefix_characters: int = 3000
    suffix_characters: int = 300
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "n_predict": 96,
            "t_max_predict_ms": 500,
            "cache_prompt": True,
            "temperature": 0,
            "stream": False,
        }
    )
    _before: str = ""
    _after: str = ""
    _shown: str = ""
    _asked_at: str = ""
    _flight: asyncio.Task[str] | None = None

    async def open(self, segment: Segment) -> None:
        self._before, self._after, self._shown = segment.before, segment.after, ""

    async def type(self, text: str) -> None:
        self._before += text
        self._shown = self._shown[len(text) :] if self._shown.startswith(text) else ""

    async def ask(self) -> Reply:
        called_model = False
        while not self._shown:
            if self._flight is None:
                self._asked_at = self._before
                self._flight = asyncio.create_task(self._request())
            called_model = True
            offered = await asyncio.shield(self._flight)
            self._flight = None
            typed = self._before.removeprefix(self._asked_at)
            if not typed and not offered:
                break
            self._shown = offered[len(typed) :] if offered.startswith(typed) else ""
        return Reply(self._shown, called_model)

    async def close(self) -> None:
        if self._flight is not None:
            await self._flight
        self._flight, self._shown = None, ""

    async def _request(self) -> str:
        answer = await self.http.post("/infill", json={**self.settings, **self._window()})
        answer.raise_for_status()
        return str(answer.json()["content"]).rstrip()

    def _window(self) -> dict[str, str]:
        """Prefix and suffix cut at line borders; the line of the cursor is `prompt`, as llama.vim sends it."""
        prefix = self._before[-self.prefix_characters :]
        if len(self._before) > self.prefix_characters:
            prefix = prefix[prefix.find("\n") + 1 :]
        suffix = self._after[: self.suffix_characters]
        with contextlib.suppress(ValueError):
            suffix = suffix[: suffix.rindex("\n") + 1] if len(self._after) > self.suffix_characters else suffix
        head, newline, line = prefix.rpartition("\n")
        return {"input_prefix": head + newline, "prompt": line, "input_suffix": suffix}
