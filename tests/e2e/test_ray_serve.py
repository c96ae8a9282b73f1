"""The host on Ray Serve, two real replicas on this machine: who is sent where, what a killed replica costs, a rolling
update under load, and clients that leave.

Ray weighs 360 MB and takes half a minute to start, so these tests run where it is installed: pip install '.[ray]'.
"""

import asyncio
import importlib.util
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from homes import environment

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="no Ray: pip install '.[ray]'")
TOKEN = "a token"
ASKED = {"prompt": "x", "temperature": 0}
TIMEOUT_S = 60


class Cluster:
    """The deployment, in a process of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(Path(__file__).with_name("ray_host.py")), str(port)]
        told = environment(home, HERON_TOKEN=TOKEN, RAY_USAGE_STATS_ENABLED="0")
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=told, text=True)
        self._wait_for("ready")

    def roll(self, version: str, answer: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"roll {version} {answer}\n")
        self._process.stdin.flush()
        self._wait_for("rolled")

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(TIMEOUT_S)
        self._process.stdout.close()

    def _wait_for(self, word: str) -> None:
        assert self._process.stdout
        while line := self._process.stdout.readline():  # Serve prints beside us
            if line.strip() == word:
                return
        raise AssertionError("the deployment ended")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("ray"))
    yield cluster
    cluster.close()


@asynccontextmanager
async def client_of(cluster: Cluster, name: str = "", token: str = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"} | ({"X-Heron-Client": name} if name else {})
    async with httpx.AsyncClient(base_url=cluster.url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
        yield client


async def replica_of(client: httpx.AsyncClient) -> int:
    """The process that a client's requests go to."""
    return int((await client.get("/v1/stats")).json()["host"]["pid"])


async def test_a_client_stays_at_its_replica_and_all_are_used(cluster: Cluster) -> None:
    places: Counter[int] = Counter()
    for number in range(12):
        async with client_of(cluster, f"editor-{number}") as client:
            seen = {await replica_of(client) for _ in range(3)}
            assert len(seen) == 1
            places[seen.pop()] += 1
    assert len(places) == 2


async def test_it_is_the_same_application(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        answer = (await client.post("/v1/completions", json=ASKED)).json()
        assert answer["choices"][0]["text"] == "an answer"
        stream = (await client.post("/v1/completions", json=ASKED | {"stream": True})).text
        assert stream.endswith("data: [DONE]\n\n")
        assert (await client.post("/v1/completions", json={"prompt": 5})).status_code == 400
        assert (await client.post("/v1/completions", content=b"x" * (9 << 20))).status_code == 413
    async with client_of(cluster, token="wrong") as stranger:
        assert (await stranger.get("/v1/models")).status_code == 401


async def test_a_replica_killed_under_load_costs_no_answer(cluster: Cluster) -> None:
    """Requests that are asked whole are asked again of the other; a third replica takes the dead one's place."""
    outcomes: Counter[str] = Counter()
    done = asyncio.Event()
    asking = [asyncio.create_task(keep_asking(cluster, f"editor-{number}", outcomes, done)) for number in range(6)]
    async with client_of(cluster, "editor-0") as client:
        victim = await replica_of(client)
        os.kill(victim, signal.SIGKILL)
        async with asyncio.timeout(TIMEOUT_S):
            before = await replica_of(client)
            assert before != victim
            while len({await replica_of_name(cluster, f"editor-{number}") for number in range(12)}) < 2:
                pass
    done.set()
    await asyncio.gather(*asking)
    assert set(outcomes) == {"200 an answer"}, outcomes
    assert outcomes.total() > 50


async def test_a_socket_outlives_a_replica(cluster: Cluster) -> None:
    """Its requests go to both replicas by what they ask; when one is killed, the other answers those of both."""
    url, headers = cluster.url.replace("http", "ws", 1), {"Authorization": f"Bearer {TOKEN}"}
    async with websockets.connect(f"{url}/v1/stream", additional_headers=headers, proxy=None) as socket:
        for kills in (True, False):
            for number in range(12):
                body = ASKED | {"prompt": f"prompt {number}"}
                await socket.send(json.dumps({"id": "a", "path": "/v1/completions", "body": body}))
                if kills and number == 6:
                    async with client_of(cluster) as client:
                        os.kill(await replica_of(client), signal.SIGKILL)
                answer, done = [json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_S)) for _ in range(2)]
                assert answer["data"]["choices"][0]["text"] == "an answer"
                assert done == {"id": "a", "done": True}


async def test_a_language_server_runs_at_the_gateway(cluster: Cluster) -> None:
    url, headers = cluster.url.replace("http", "ws", 1), {"Authorization": f"Bearer {TOKEN}"}
    async with websockets.connect(f"{url}/lsp", additional_headers=headers, proxy=None) as socket:
        params = {"processId": None, "rootUri": None, "capabilities": {}}
        await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))
        assert (
            "inlineCompletionProvider"
            in json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_S))["result"]["capabilities"]
        )
        await socket.send(json.dumps({"jsonrpc": "2.0", "method": "initialized", "params": {}}))
        while json.loads(message := await asyncio.wait_for(socket.recv(), TIMEOUT_S)).get("method") != "heron/status":
            pass
    assert json.loads(message)["params"]


async def test_a_rolling_update_costs_no_answer(cluster: Cluster) -> None:
    outcomes: Counter[str] = Counter()
    done = asyncio.Event()
    asking = [asyncio.create_task(keep_asking(cluster, f"editor-{number}", outcomes, done)) for number in range(4)]
    await asyncio.to_thread(cluster.roll, "2", "another answer")
    done.set()
    await asyncio.gather(*asking)
    assert set(outcomes) == {"200 an answer", "200 another answer"}, outcomes
    async with client_of(cluster) as client:
        assert (await client.post("/v1/completions", json=ASKED)).json()["choices"][0]["text"] == "another answer"


async def test_a_client_that_leaves_ends_its_request(cluster: Cluster) -> None:
    """The last test: the engine that holds an answer holds all others of its replica too."""
    async with client_of(cluster, "leaver") as client:
        async with client.stream("POST", "/v1/completions", json={"prompt": "hold", "stream": True}) as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            assert len((await client.get("/v1/overview")).json()["running"]) == 1
        async with asyncio.timeout(TIMEOUT_S):
            while (await client.get("/v1/overview")).json()["running"]:
                pass


async def keep_asking(cluster: Cluster, name: str, outcomes: Counter[str], done: asyncio.Event) -> None:
    async with client_of(cluster, name) as client:
        for number in itertools.count():
            answer = await client.post("/v1/completions", json=ASKED | {"prompt": f"x{number}"})
            outcomes[f"{answer.status_code} {_text(answer)}"] += 1
            if done.is_set():
                return


async def replica_of_name(cluster: Cluster, name: str) -> int:
    async with client_of(cluster, name) as client:
        return await replica_of(client)


def _text(answer: httpx.Response) -> Any:
    body = answer.json()
    return body["choices"][0]["text"] if "choices" in body else body
