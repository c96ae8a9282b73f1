"""Tokens from the host or any OpenAI-compatible server. Closing a stream closes its connection, which cancels it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from heron.discovery import HostAddress
from heron.editor.client.answers import CompletionReader, read_error, read_health, read_model, read_models
from heron.editor.client.chat_answers import ChatReader
from heron.editor.client.chat_ask import ChatAsk, chat_body
from heron.editor.client.http import Post, Reader, Server, parse_json, stream
from heron.editor.client.opening import open_server
from heron.editor.client.pulse import with_pulse
from heron.errors import HeronError, HostUnreachable, ModelNotReady
from heron.wire import PRIORITY_HEADER, Delta, Health, ModelInfo, Priority

Connect = Callable[[], Awaitable[HostAddress]]
_HEALTH = "/healthz"
_HEALTH_S, _PULSE_S = 5.0, 2.0
"""How long a server may take to tell its health: any server, and our own while a stream of its is silent."""
_SILENCE_S = 2.0
"""After so long without a delta our own host is asked whether it lives."""


@dataclass(frozen=True, slots=True)
class Infill:
    """What to ask for: a text to continue, or with a suffix (even an empty one) the middle between the two."""

    prompt: str
    suffix: str | None
    max_tokens: int
    stop: tuple[str, ...] = ()
    priority: Priority = "completion"
    temperature: float = 0.0
    seed: int = 0
    logprobs: bool = False


@dataclass(slots=True)
class _Link:
    """An open server and the model behind it, once that is known."""

    server: Server
    is_own: bool
    """Whether it is this machine's host, which answers at once to whether it lives."""
    model: ModelInfo | None = None


class Client:
    """One server, found by `connect` at first use, and found (or started) once more when it is lost.

    `prefer` names the model to use of a server that offers several; with `insist` no other will do, and it is loaded.
    """

    def __init__(self, connect: Connect, prefer: Callable[[], str] = lambda: "", *, insist: bool = False) -> None:
        self._connect = connect
        self._prefer = prefer
        self._insist = insist
        self._opening: asyncio.Task[_Link] | None = None
        self.on_notice: Callable[[str], None] | None = None
        """Told when what answers say of the server changes."""
        self._notice = ""

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        """Deltas of a completion; the last has `finish_reason`. Ends the generation when closed.

        Raises a HeronError; HostUnreachable only if the server cannot be found again, or is lost midway.
        """
        render = partial(_completion_post, infill)
        async with aclosing(self._generate(render, CompletionReader)) as deltas:
            async for delta in deltas:
                yield delta

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]:
        """Deltas of the next message; calls of tools come whole. Ends, and raises, as `complete` does."""
        async with aclosing(self._generate(partial(_chat_post, ask), ChatReader)) as deltas:
            async for delta in deltas:
                yield delta

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models the server offers."""
        return read_models(await self._get("/v1/models"))

    async def model(self) -> ModelInfo:
        """The model that completes: the preferred one or the server's first, asked for once a connection."""
        link = await self._link()
        if link.model is None:
            link.model = await self._choose()
        return link.model

    async def _choose(self) -> ModelInfo:
        models, name = await self.models(), self._prefer()
        if found := next((model for model in models if model.id == name), None):
            return found
        if self._insist:
            return read_model(await self._ask("POST", f"/v1/models/{name}/load"))
        if not models:
            raise ModelNotReady("The server offers no model yet.")
        return models[0]

    async def health(self) -> Health:
        """The state of the server's model; a foreign server that lists models counts as ready."""
        try:
            return read_health(await self._ask("GET", _HEALTH, _HEALTH_S))
        except HostUnreachable:
            raise
        except HeronError:
            models = await self.models()
            return Health("ready", models[0].id if models else "")

    async def close(self) -> None:
        """Close all connections, which ends the streams that run. The next call finds the server anew."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        if not opening.done():
            opening.cancel()
        elif link := _opened(opening):
            await link.server.close()

    async def _generate(
        self, render: Callable[[ModelInfo], Post], new_reader: Callable[[], Reader]
    ) -> AsyncGenerator[Delta, None]:
        """Deltas of what is rendered for the server's model, also if the server was lost and is found once more."""
        for last_try in (False, True):
            started = False
            post = render(await self.model())
            link = await self._link()
            try:
                async with aclosing(self._stream(link, post, new_reader())) as deltas:
                    async for delta in deltas:
                        started = True
                        yield delta
                return
            except HostUnreachable:
                await self._drop(link)
                if started or last_try:
                    raise

    def _hear(self, notice: str) -> None:
        if notice != self._notice:
            self._notice = notice
            if self.on_notice is not None:
                self.on_notice(notice)

    def _stream(self, link: _Link, post: Post, reader: Reader) -> AsyncGenerator[Delta, None]:
        deltas = stream(link.server, post, reader)
        return with_pulse(deltas, partial(_is_alive, link.server), _SILENCE_S) if link.is_own else deltas

    async def _link(self) -> _Link:
        """The open link, shared by all who wait: one that is cancelled does not stop it from opening."""
        if self._opening is None or (self._opening.done() and not _opened(self._opening)):
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> _Link:
        address = await self._connect()
        server = await asyncio.to_thread(open_server, address, self._hear)  # imports take a while
        return _Link(server, bool(address.socket_path))

    async def _drop(self, link: _Link) -> None:
        if self._opening is not None and self._opening.done() and _opened(self._opening) is link:
            self._opening = None
        await link.server.close()

    async def _get(self, path: str) -> Any:
        return await self._ask("GET", path)

    async def _ask(self, method: str, path: str, timeout_s: float | None = None) -> Any:
        """The JSON at a path, also if the server was lost and has to be found once more."""
        link = await self._link()  # failing to connect is not tried twice: it may have taken half a minute
        try:
            status, content = await self._fetch(link, method, path, timeout_s)
        except HostUnreachable:
            status, content = await self._fetch(await self._link(), method, path, timeout_s)
        if status != 200:
            raise read_error(status, content)
        return parse_json(content)

    async def _fetch(self, link: _Link, method: str, path: str, timeout_s: float | None) -> tuple[int, bytes]:
        try:
            return await link.server.ask(method, path, timeout_s)
        except HostUnreachable:
            await self._drop(link)
            raise


async def _is_alive(server: Server) -> bool:
    """Whether our own host answers."""
    try:
        await server.ask("GET", _HEALTH, _PULSE_S)
    except HostUnreachable:
        return False
    return True


def _chat_post(ask: ChatAsk, model: ModelInfo) -> Post:
    return Post("/v1/chat/completions", chat_body(model.id, ask), {PRIORITY_HEADER: ask.priority})


def _completion_post(infill: Infill, model: ModelInfo) -> Post:
    return Post("/v1/completions", _completion_body(model, infill), {PRIORITY_HEADER: infill.priority})


def _completion_body(model: ModelInfo, infill: Infill) -> dict[str, Any]:
    body = {
        "model": model.id,
        "prompt": infill.prompt,
        "max_tokens": infill.max_tokens,
        "temperature": infill.temperature,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    wishes: dict[str, Any] = {} if infill.suffix is None else {"suffix": infill.suffix}
    wishes |= {"stop": list(infill.stop)} if infill.stop else {}
    wishes |= {"seed": infill.seed} if infill.temperature else {}
    wishes |= {"logprobs": 0} if infill.logprobs else {}
    return body | wishes


def _opened(opening: "asyncio.Task[_Link]") -> _Link | None:
    failed = opening.cancelled() or opening.exception() is not None
    return None if failed else opening.result()
