"""JSON-RPC with a real child process that answers from a small script."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from heron.commands.rpc import PeerError, open_peer
from heron.errors import SystemFault

PEER = r"""
import json, sys
def read():
    length = 0
    while (line := sys.stdin.buffer.readline().strip()):
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return json.loads(sys.stdin.buffer.read(length)) if length else None
def send(message):
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(b"content-type: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    sys.stdout.buffer.flush()
held = None
while (message := read()) is not None:
    method, params, number = message.get("method"), message.get("params"), message.get("id")
    if method == "echo":
        send({"id": number, "result": params})
    elif method == "ask":
        send({"id": "mine", "method": "workspace/configuration", "params": {"items": [{}, {}]}})
        send({"id": number, "result": read()})
    elif method == "fail":
        send({"id": number, "error": {"code": -32602, "message": "No."}})
    elif method == "tell":
        send({"method": "told", "params": params})
    elif method == "$/cancelRequest":
        send({"method": "cancelled", "params": params})
    elif method == "die":
        sys.exit("the last word")
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "peer.py"
    script.write_text(PEER)
    return [sys.executable, str(script)]


def ignore(method: str, params: Any) -> None:
    """Notifications are of no interest."""


async def test_requests_are_matched_to_their_answers(command: list[str]) -> None:
    async with open_peer(command, ignore) as peer:
        texts = ["a", "ä 🦩\r\n", "x" * 100_000]
        assert await asyncio.gather(*(peer.request("echo", text) for text in texts)) == texts


async def test_an_error_is_raised_with_its_code(command: list[str]) -> None:
    async with open_peer(command, ignore) as peer:
        with pytest.raises(PeerError, match=r"No\.") as told:
            await peer.request("fail", {})
        assert told.value.number == -32602
        assert await peer.request("echo", 1) == 1


async def test_the_peers_own_requests_are_answered(command: list[str]) -> None:
    async with open_peer(command, ignore) as peer:
        answer = await peer.request("ask", {})
        assert (answer["id"], answer["result"]) == ("mine", [None, None])


async def test_notifications_go_to_the_listener(command: list[str]) -> None:
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with open_peer(command, lambda *event: told.put_nowait(event)) as peer:
        peer.notify("tell", [1])
        assert await told.get() == ("told", [1])


async def test_cancelling_tells_the_peer(command: list[str]) -> None:
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with open_peer(command, lambda *event: told.put_nowait(event)) as peer:
        asking = asyncio.create_task(peer.request("never answered", {}))
        assert await peer.request("echo", "sent just before it") == "sent just before it"
        asking.cancel()
        method, params = await told.get()
        assert (method, params["id"]) == ("cancelled", 2)


async def test_a_peer_that_dies_fails_what_waits_and_what_comes(command: list[str]) -> None:
    async with open_peer(command, ignore) as peer:
        with pytest.raises(SystemFault, match=r"ended with code 1\. the last word"):
            await peer.request("die", {})
        with pytest.raises(SystemFault):
            peer.notify("tell", [])
        assert peer.ended.is_set()


async def test_what_it_writes_to_stderr_can_be_shown(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    async with open_peer(command, ignore, echo=True) as peer:
        with pytest.raises(SystemFault):
            await peer.request("die", {})
    assert "the last word" in capsys.readouterr().err
