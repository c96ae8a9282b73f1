"""What an editor has of a host that is lost, stands still, runs with less, or has no model to give."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from heron.discovery import HostAddress
from heron.editor.client import client as client_module
from heron.editor.lsp import status
from heron.settings import Settings
from heron.wire import NOTICE_HEADER
from protocol.foreign_server import Exchange, ForeignServer, event, foreign_server
from protocol.lsp_editor import Editor, editor_of

MODELS = {"data": [{"id": "m", "owned_by": "heron", "capabilities": {"fim": True, "chat": True}}]}
READY = {"state": "ready", "model": "m", "message": "", "fraction": None, "notice": ""}
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "workDoneToken": "t"}
PIECES = ("Good ", "day ", "to ", "you.")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_POLL_S", 0.0)
    monkeypatch.setattr(client_module, "_SILENCE_S", 0.05)
    monkeypatch.setattr(client_module, "_PULSE_S", 0.2)


def reads_to(server: ForeignServer) -> Any:
    async def connect(settings: Settings) -> HostAddress:
        return server.address

    return connect


async def stream(exchange: Exchange, pieces: tuple[str, ...], whole: bool, header: bytes = b"") -> None:
    """A stream of chunks that, unless whole, breaks off behind the pieces."""
    await exchange.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n" + header + b"\r\n")
    events = [event({"choices": [{"delta": {"content": piece}, "text": piece}]}) for piece in pieces]
    events += [event({"choices": [{"delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"] if whole else []
    for data in events:
        await exchange.write(b"%x\r\n%b\r\n" % (len(data), data))
    await exchange.write(b"0\r\n\r\n" if whole else b"")


def told_text(editor: Editor) -> str:
    reports = [params["value"] for params in editor.told("$/progress") if params["token"] == "t"]
    return "".join(report["delta"] for report in reports)


async def test_an_answer_goes_on_where_the_lost_host_left_it(tmp_path: Path) -> None:
    lives = iter([2, 0, 3])

    async def chat(exchange: Exchange) -> None:
        count = next(lives, len(PIECES))
        await stream(exchange, PIECES[:count], whole=count == len(PIECES))

    routes: dict[str, Any] = {"/healthz": READY, "/v1/models": MODELS, CHAT: chat}
    async with foreign_server(tmp_path, routes) as server, editor_of(reads_to(server)) as editor:
        await editor.initialize()
        result = (await editor.request("heron/chat", ASKED))["result"]
        assert result["text"] == told_text(editor) == "Good day to you."


async def test_another_answer_than_the_one_begun_is_an_error(tmp_path: Path) -> None:
    lives = iter([("Good ",), ("Bad ",), ("Bad ",), ("Bad ",)])

    async def chat(exchange: Exchange) -> None:
        await stream(exchange, next(lives), whole=False)

    routes: dict[str, Any] = {"/healthz": READY, "/v1/models": MODELS, CHAT: chat}
    async with foreign_server(tmp_path, routes) as server, editor_of(reads_to(server)) as editor:
        await editor.initialize()
        error = (await editor.request("heron/chat", ASKED))["error"]
        assert "could not be gone on with" in error["message"]
        assert told_text(editor) == "Good "


async def test_a_host_that_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    """Connecting anew brings another host, as `ensure_host` does."""
    num_connected, num_chats, over = 0, 0, asyncio.Event()

    async def connect(settings: Settings) -> HostAddress:
        nonlocal num_connected
        num_connected += 1
        return server.address

    async def answer_health(exchange: Exchange) -> None:
        if num_chats and num_connected == 1:
            await over.wait()
        await exchange.answer(READY)

    async def chat(exchange: Exchange) -> None:
        nonlocal num_chats
        num_chats += 1
        await stream(exchange, PIECES[:2] if num_connected == 1 else PIECES, whole=num_connected > 1)
        if num_connected == 1:
            await over.wait()

    routes: dict[str, Any] = {"/healthz": answer_health, "/v1/models": MODELS, CHAT: chat}
    async with foreign_server(tmp_path, routes) as server, editor_of(connect) as editor:
        await editor.initialize()
        await editor.wait_ready()
        assert (await editor.request("heron/chat", ASKED))["result"]["text"] == "Good day to you."
        assert (num_connected, num_chats) == (2, 2)
        over.set()


async def test_what_the_host_says_while_it_is_asked_for_its_state_is_not_lost(tmp_path: Path) -> None:
    health, asked, over = dict(READY), asyncio.Event(), asyncio.Event()

    async def chat(exchange: Exchange) -> None:
        health["notice"] = "" if health["notice"] else "Memory ran out."
        header = f"{NOTICE_HEADER}: {quote(str(health['notice']))}\r\n"
        await stream(exchange, PIECES, whole=True, header=header.encode())

    async def answer_health(exchange: Exchange) -> None:
        answer = dict(health)
        if answer["notice"]:
            asked.set()
            await over.wait()
        await exchange.answer(answer)

    routes: dict[str, Any] = {"/healthz": answer_health, "/v1/models": MODELS, CHAT: chat}
    async with foreign_server(tmp_path, routes) as server, editor_of(reads_to(server)) as editor:
        await editor.initialize()
        await editor.request("heron/chat", ASKED)
        await asked.wait()
        await editor.request("heron/chat", ASKED)
        over.set()
        expected = ["Memory ran out.", ""]
        await editor.wait_for(lambda: [told["notice"] for told in editor.told("heron/status")][-2:] == expected)


async def test_running_with_less_is_shown_once_and_told_when_it_is_over(tmp_path: Path) -> None:
    notices = iter(["", "Memory ran out.", "Memory ran out.", ""])
    health = dict(READY)

    async def chat(exchange: Exchange) -> None:
        health["notice"] = next(notices)
        header = f"{NOTICE_HEADER}: {quote(str(health['notice']))}\r\n" if health["notice"] else ""
        await stream(exchange, PIECES, whole=True, header=header.encode())

    async def answer_health(exchange: Exchange) -> None:
        header = f"{NOTICE_HEADER}: {quote(str(health['notice']))}\r\n" if health["notice"] else ""
        await exchange.write(b"HTTP/1.1 200 X\r\nConnection: close\r\n" + header.encode() + b"\r\n")
        await exchange.write(json.dumps(health).encode())

    routes: dict[str, Any] = {"/healthz": answer_health, "/v1/models": MODELS, CHAT: chat}
    async with foreign_server(tmp_path, routes) as server, editor_of(reads_to(server)) as editor:
        await editor.initialize()
        for _ in range(4):
            assert "result" in await editor.request("heron/chat", ASKED)
        expected = ["Memory ran out.", ""]
        await editor.wait_for(lambda: [told["notice"] for told in editor.told("heron/status")][-2:] == expected)
        shown = [told["message"] for told in editor.told("window/showMessage")]
        assert shown == ["Heron: Memory ran out."]


async def test_without_a_model_names_that_are_known_are_completed(tmp_path: Path) -> None:
    failed = READY | {"state": "failed", "message": "The worker ended."}
    routes: dict[str, Any] = {"/healthz": failed, "/v1/models": {"data": []}}
    async with foreign_server(tmp_path, routes) as server, editor_of(reads_to(server)) as editor:
        await editor.initialize()
        editor.open("total_price = 1\nx = tot")
        assert await editor.complete(1, 7, triggerKind=2) == "al_price"
        assert await editor.outcome() == "without_model"
        editor.open("x = ", uri="file:///b.py")
        assert await editor.complete(0, 4, uri="file:///b.py", triggerKind=2) is None
        assert await editor.outcome() == "not_ready"
