"""What the editor is told of the host, and what happens while there is none, or a bad one, or bad settings."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heron.discovery import HostAddress
from heron.editor.lsp import status
from heron.errors import HostUnreachable
from heron.host.engine.scripted import ScriptedEngine
from heron.settings import Settings
from protocol.foreign_server import Exchange, event, foreign_server
from protocol.http_host import on_socket
from protocol.lsp_editor import Editor, connect_nowhere, editor_of, editor_with

MODELS = {"data": [{"id": "q", "owned_by": "heron", "capabilities": {"fim": True}}]}
PLAIN = {"id": "q", "owned_by": "heron"}


def health(state: str, fraction: float | None = None, message: str = "") -> dict[str, Any]:
    return {"state": state, "model": "q", "message": message, "fraction": fraction, "notice": ""}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_POLL_S", 0.0)
    monkeypatch.setattr(status, "_RETRY_S", 0.0)


def connect_to(address: Callable[[], HostAddress]) -> Callable[[Settings], Any]:
    async def connect(settings: Settings) -> HostAddress:
        return address()

    return connect


class Loading:
    """A host whose model gets ready as told: each health is shown until the next is set."""

    def __init__(self) -> None:
        self.now = health("starting")
        self.routes: dict[str, object] = {"/healthz": self._health, "/v1/models": self._models}
        self.routes["/v1/completions"] = self._complete

    async def _health(self, exchange: Exchange) -> None:
        await exchange.answer(self.now)

    async def _models(self, exchange: Exchange) -> None:
        await exchange.answer(MODELS if self.now["state"] == "ready" else {"data": [PLAIN]})

    async def _complete(self, exchange: Exchange) -> None:
        await exchange.answer(event({"choices": [{"text": "1", "finish_reason": "stop"}]}))


async def tell(editor: Editor, host: Loading, *healths: dict[str, Any]) -> None:
    for now in healths:
        host.now = now
        await editor.wait_for(lambda now=now: now in editor.told("heron/status"))  # type: ignore[misc]


def progress_of(editor: Editor) -> list[tuple[str, object, object]]:
    values = [params["value"] for params in editor.told("$/progress")]
    return [(value["kind"], value.get("title"), value.get("percentage")) for value in values]


async def test_status_and_progress_follow_the_host(tmp_path: Path) -> None:
    host = Loading()
    async with foreign_server(tmp_path, host.routes) as server, editor_of(connect_to(lambda: server.address)) as editor:
        await editor.initialize()
        await tell(editor, host, health("downloading", 0.1, "1 of 10"), health("downloading", 0.5))
        await tell(editor, host, health("compiling"), health("loading"), health("ready"))
        await editor.wait_for(lambda: len(progress_of(editor)) == 7)
    assert progress_of(editor) == [
        ("begin", "Downloading model q", 10),
        ("report", None, 50),
        ("end", None, None),
        ("begin", "Compiling model q", None),
        ("end", None, None),
        ("begin", "Loading model q", None),
        ("end", None, None),
    ]
    tokens = [params["token"] for params in editor.told("window/workDoneProgress/create")]
    assert len(set(tokens)) == 3
    assert {params["token"] for params in editor.told("$/progress")} == set(tokens)


async def test_no_progress_for_a_client_that_shows_none(tmp_path: Path) -> None:
    host = Loading()
    async with foreign_server(tmp_path, host.routes) as server, editor_of(connect_to(lambda: server.address)) as editor:
        await editor.initialize(capabilities={})
        await tell(editor, host, health("loading"), health("ready"))
        assert editor.told("window/workDoneProgress/create") == []
        assert editor.told("$/progress") == []


async def test_no_progress_without_a_token(tmp_path: Path) -> None:
    host = Loading()
    async with foreign_server(tmp_path, host.routes) as server, editor_of(connect_to(lambda: server.address)) as editor:
        editor.refuse_progress = True
        await editor.initialize()
        await tell(editor, host, health("loading"), health("ready"))
        assert editor.told("$/progress") == []


async def test_a_request_the_user_made_waits_for_the_model(tmp_path: Path) -> None:
    host = Loading()
    async with foreign_server(tmp_path, host.routes) as server, editor_of(connect_to(lambda: server.address)) as editor:
        await editor.initialize()
        editor.open("x = ")
        request = editor.ask(0, 4, triggerKind=1)
        await tell(editor, host, health("loading"), health("ready"))
        assert (await editor.wait(request))["result"][0]["insertText"] == "1"


async def test_an_automatic_request_offers_nothing_while_the_model_loads() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize({"completion": {"timeout_ms": 50}})
        editor.open("x = ")
        assert await editor.complete(0, 4) is None
        assert await editor.outcome() == "not_ready"
        assert editor.told("window/showMessage") == []


async def test_a_host_that_cannot_be_started_is_told_and_tried_again(tmp_path: Path) -> None:
    attempts = 0

    async def connect(settings: Settings) -> HostAddress:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise HostUnreachable("The host ended with code 3.")
        return HostAddress("http://host", str(tmp_path / "host.sock"))

    async with on_socket(ScriptedEngine("1"), tmp_path), editor_of(connect) as editor:
        await editor.initialize({"completion": {"timeout_ms": 50}})
        await editor.wait_for(lambda: bool(editor.told("heron/status")))
        (failed,) = editor.told("heron/status")
        assert (failed["state"], failed["message"]) == ("failed", "The host ended with code 3.")
        editor.open("x = ")
        assert await editor.complete(0, 4) is None
        await editor.wait_ready()
        assert await editor.complete(0, 4) == "1"
        assert editor.told("window/showMessage") == []


async def test_a_host_lost_between_requests_is_found_again(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    present = folders[0]

    async def connect(settings: Settings) -> HostAddress:
        return HostAddress("http://host", str(present / "host.sock"))

    async with editor_of(connect) as editor:
        async with on_socket(ScriptedEngine("1"), folders[0]):
            await editor.initialize()
            await editor.wait_ready()
            editor.open("x = ")
            assert await editor.complete(0, 4) == "1"
        present = folders[1]
        async with on_socket(ScriptedEngine("2"), folders[1]):
            editor.insert(2, 0, 4, "y + ")
            assert await editor.complete(0, 8) == "2"


async def test_other_host_settings_take_effect(tmp_path: Path) -> None:
    seen: list[str] = []

    async def connect(settings: Settings) -> HostAddress:
        seen.append(settings.host.url)
        return HostAddress("http://host", str(tmp_path / "host.sock"))

    async with on_socket(ScriptedEngine("1"), tmp_path), editor_of(connect) as editor:
        await editor.initialize({"host": {"url": "http://one"}})
        await editor.wait_ready()
        editor.notify("workspace/didChangeConfiguration", {"settings": {"host": {"url": "http://two"}}})
        editor.open("x = ")
        assert await editor.complete(0, 4) == "1"
    assert seen == ["http://one", "http://two"]


async def test_new_host_settings_are_tried_at_once_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_RETRY_S", 3600.0)

    async def connect(settings: Settings) -> HostAddress:
        if settings.host.url == "http://bad":
            raise HostUnreachable("Nobody there.")
        return HostAddress("http://host", str(tmp_path / "host.sock"))

    async with on_socket(ScriptedEngine("1"), tmp_path), editor_of(connect) as editor:
        await editor.initialize({"host": {"url": "http://bad"}})
        await editor.wait_for(lambda: bool(editor.told("heron/status")))
        editor.notify("workspace/didChangeConfiguration", {"settings": {"host": {"url": "http://good"}}})
        await editor.wait_ready()


async def test_enabling_completions_starts_the_host(tmp_path: Path) -> None:
    async with on_socket(ScriptedEngine("1"), tmp_path):
        address = HostAddress("http://host", str(tmp_path / "host.sock"))
        async with editor_of(connect_to(lambda: address)) as editor:
            await editor.initialize({"completion": {"enabled": False}})
            editor.notify("workspace/didChangeConfiguration", {"settings": None})
            await editor.wait_ready()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"completion": {"max_tokens": 0}}, ["completion.max_tokens", "0", "1 to 1024"]),
        ({"completion": {"max_token": 5}}, ["completion.max_token", "max_tokens"]),
        ({"engine": {"instruction_set": "mmx"}}, ["engine.instruction_set", "mmx", "avx2"]),
        ({"heron": {"completion": []}}, ["completion"]),
        ([1], ["[1]"]),
        ("fast", ["fast"]),
    ],
)
async def test_bad_settings_are_told_once_and_defaults_used(tmp_path: Path, options: object, said: list[str]) -> None:
    async with editor_with(ScriptedEngine("1"), tmp_path, options) as editor:
        (message,) = editor.told("window/showMessage")
        assert message["type"] == 2
        assert all(word in message["message"] for word in said)
        assert editor.session.settings == Settings()
        editor.open("x = ")
        assert await editor.complete(0, 4) == "1"


async def test_a_broken_settings_file_is_told_and_the_server_runs(tmp_path: Path, heron_home: Path) -> None:
    (heron_home / "config.toml").write_text("[completion\n")
    async with editor_with(ScriptedEngine("1"), tmp_path) as editor:
        (message,) = editor.told("window/showMessage")
        assert "config.toml" in message["message"]


async def test_disabled_completions_start_no_host() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize({"completion": {"enabled": False}})
        editor.open("x = ")
        assert await editor.complete(0, 4) is None
        await asyncio.sleep(0)
        assert editor.session.watch.health is None
