"""`/lsp` of a real host: a language server for each connection."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psutil
import pytest
import websockets

from heron.host.api.doorway import Endpoint
from heron.host.engine.scripted import ScriptedEngine
from heron.host.tokens import token_store
from protocol.tcp_host import serving

OPEN = {"textDocument": {"uri": "file:///w/a.py", "languageId": "python", "version": 1, "text": "x = "}}


@pytest.fixture(autouse=True)
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    (tmp_path / "config.toml").write_text('[host]\nurl = "http://127.0.0.1:9"\n')  # or each server would start a host


def connect(endpoint: Endpoint, token: str = "") -> websockets.connect:
    url = endpoint.address.base_url.replace("http", "ws", 1) + "/lsp"
    headers = {"Authorization": f"Bearer {token or endpoint.address.token}"}
    return websockets.connect(url, additional_headers=headers, proxy=None)


async def ask(socket: websockets.ClientConnection, id: int, method: str, params: object) -> dict[str, Any]:
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    while True:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
        if message.get("id") == id and "method" not in message:
            return message


async def initialize(socket: websockets.ClientConnection) -> dict[str, Any]:
    answer = await ask(socket, 1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    await socket.send(json.dumps({"jsonrpc": "2.0", "method": "initialized", "params": {}}))
    return answer["result"]


async def test_two_clients_have_a_server_each_and_it_ends_with_them(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedEngine("1")) as endpoint:
        async with connect(endpoint) as first, connect(endpoint) as second:
            assert (await initialize(first))["capabilities"] == (await initialize(second))["capabilities"]
            children = [child for child in psutil.Process().children() if "lsp" in child.cmdline()]
            assert len(children) == 2
            await first.send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": OPEN}))
            params = {"textDocument": {"uri": "file:///w/a.py"}, "position": {"line": 0, "character": 4}}
            answer = await ask(first, 2, "textDocument/foldingRange", params)
            assert answer["error"]["code"] == -32601, "a method it does not have, told by the server itself"
        await asyncio.to_thread(psutil.wait_procs, children, 20)
        assert not any(child.is_running() for child in children)


async def test_a_server_that_is_killed_closes_its_connection_and_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedEngine("1")) as endpoint, connect(endpoint) as first:
        await initialize(first)
        (child,) = (child for child in psutil.Process().children() if "lsp" in child.cmdline())
        async with connect(endpoint) as second:
            await initialize(second)
            child.kill()
            await asyncio.wait_for(first.wait_closed(), 20)
            assert "error" in await ask(second, 2, "nothing/known", {})


async def test_only_an_admin_may_connect(tmp_path: Path) -> None:
    _, secret = token_store(tmp_path).create("ann", ["complete", "chat"])
    async with serving(tmp_path, ScriptedEngine("1")) as endpoint:
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await connect(endpoint, secret)
