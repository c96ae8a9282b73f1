"""Sends drawn messages to a real host and a real language server on TCP, and notes what should not have happened."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

from heron.editor.lsp.framing import Framer, frame
from protocol import fuzz

TIMEOUT_S = 90.0
SILENCE_S = 18.0
"""How long a connection that was sent noise may stay open: its other half is closed. The host gives up after 20."""


@dataclass(slots=True)
class Findings:
    """Messages sent and answers by kind, and faults: the drawn message and what came of it."""

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, kind: str, message: object, what: object) -> None:
        self.faults.append(f"{kind}: {what!r} for {message!r}"[:600])


@dataclass(frozen=True, slots=True)
class Target:
    """A host on TCP with its token, and the port of a language server."""

    url: str
    token: str
    lsp_port: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


async def fuzz_http(target: Target, findings: Findings, seed: int, count: int) -> None:
    """Bodies for every route; each answer has a status with a cause, and tells it in OpenAI's shape."""
    chance = random.Random(seed)
    async with httpx.AsyncClient(
        base_url=target.url, headers=target.headers, timeout=TIMEOUT_S, trust_env=False
    ) as client:
        for number in range(count):
            path, body = fuzz.http_body(chance)
            if number % 10 == 0:
                path, body = chance.choice(fuzz.LOOKS), b""
            method = "GET" if not body else chance.choice(("POST", "POST", "POST", "POST", "PUT"))
            findings.sent["http"] += 1
            try:
                answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})
            except httpx.HTTPError as error:
                findings.fault("http", (path, body), error)
                continue
            findings.answers[f"http {answer.status_code}"] += 1
            if not _has_cause(answer):
                findings.fault("http", (path, body), answer.text)


async def fuzz_raw(target: Target, findings: Findings, seed: int, count: int) -> None:
    """Bytes on bare connections: each is answered or closed, and none by a 500."""
    chance = random.Random(seed)
    host, _, port = target.url.removeprefix("http://").partition(":")
    for _ in range(count):
        data = fuzz.raw_http(chance)
        findings.sent["raw"] += 1
        reader, writer = await asyncio.open_connection(host, int(port))
        answer = b""
        with suppress(ConnectionError):
            writer.write(data)
            writer.write_eof()
            try:
                answer = await asyncio.wait_for(reader.read(), SILENCE_S)
            except TimeoutError:
                findings.fault("raw", data, "neither answered nor closed")
        writer.close()
        findings.answers[f"raw {answer[9:12].decode('ascii', 'replace') or 'closed'}"] += 1
        if answer[9:12] == b"500":
            findings.fault("raw", data, answer)


async def fuzz_socket(target: Target, findings: Findings, seed: int, count: int) -> None:
    """Frames on `/v1/stream`: after each some, a right request is answered rightly on the same connection."""
    chance = random.Random(seed)
    url = target.url.replace("http", "ws", 1) + "/v1/stream"
    async with websockets.connect(url, additional_headers=target.headers, proxy=None, max_size=None) as socket:
        for number in range(count):
            message = fuzz.socket_message(chance, number)
            findings.sent["websocket"] += 1
            await socket.send(message)
            if number % 20 == 19 and not await _answers_rightly(socket, f"right-{number}", findings):
                findings.fault("websocket", message, "a right request was not answered after it")
                return


async def fuzz_lsp(target: Target, findings: Findings, seed: int, count: int) -> None:
    """Messages for a language server: every request is answered once, and the last one rightly."""
    chance = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", target.lsp_port)
    client = _Lsp(reader, writer, findings)
    options = {"host": {"url": target.url, "token": target.token}, "completion": {"timeout_ms": 2000}}
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
    client.send({"jsonrpc": "2.0", "id": "first", "method": "initialize", "params": params})
    client.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
    for number in range(count):
        findings.sent["lsp"] += 1
        if chance.random() < 0.05:
            writer.write(fuzz.lsp_noise(chance))
        else:
            client.send(fuzz.lsp_message(chance, number))
        if number % 50 == 49:
            await client.settle(number)
    client.send({"jsonrpc": "2.0", "id": "last", "method": "heron/lastTimings", "params": None})
    await client.settle("last")
    for request, message in client.open.items():
        findings.fault("lsp", message, f"request {request} was not answered")
    writer.close()


@dataclass(slots=True)
class _Lsp:
    """A client that answers what the server asks with null."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    findings: Findings
    open: dict[Any, Any] = field(default_factory=dict)
    framer: Framer = field(default_factory=Framer)

    def send(self, message: dict[str, Any]) -> None:
        if "id" in message and "method" in message:
            self.open[message["id"]] = message
        self.writer.write(frame(json.dumps(message).encode()))

    async def settle(self, at: object) -> None:
        """Read until every request is answered, or nothing has come for long."""
        while self.open:
            try:
                chunk = await asyncio.wait_for(self.reader.read(1 << 16), TIMEOUT_S)
            except TimeoutError:
                return
            if not chunk:
                self.findings.fault("lsp", at, "the server closed the connection")
                return
            for item in self.framer.feed(chunk):
                self._take(json.loads(item) if isinstance(item, bytes) else {})

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if "id" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            return
        kind = f"lsp {message['error']['code']}" if "error" in message else "lsp result"
        self.findings.answers[kind] += 1
        if message.get("id") is not None and self.open.pop(message["id"], None) is None:
            self.findings.fault("lsp", message, "an answer to no request, or a second one")


async def _answers_rightly(socket: websockets.ClientConnection, id: str, findings: Findings) -> bool:
    body = {"prompt": "x", "max_tokens": 2}
    await socket.send(json.dumps({"id": id, "path": "/v1/completions", "body": body}))
    while True:
        try:
            message = json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_S))
        except (TimeoutError, websockets.ConnectionClosed):
            return False
        findings.answers[f"websocket {message.get('status', 'data' if 'data' in message else 'done')}"] += 1
        if message.get("status") == 500:
            findings.fault("websocket", id, message)
        if message["id"] == id and message.get("done"):
            return True


def _has_cause(answer: httpx.Response) -> bool:
    """Whether an answer is right, or says what was wrong; a 500 never does."""
    if answer.status_code < 400:
        return True
    try:
        return answer.status_code != 500 and bool(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return False
