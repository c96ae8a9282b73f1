"""What the dashboard asks for and does: overview, stopping a request, unloading and loading the model, its own door."""

import asyncio
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from heron.errors import Overloaded
from heron.host.api.doors import Doors
from heron.host.api.doorway import open_own_door
from heron.host.api.service import make_service
from heron.host.engine.scripted import Reply, Script, ScriptedEngine
from heron.wire import ModelInfo
from protocol.http_host import in_memory, on_socket, pool_of, two_models

ASKED = {"prompt": "secret words", "user": "ann"}


async def overview(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/overview")
    assert "secret" not in answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_it_tells_what_runs_what_ended_and_what_failed(tmp_path: Path) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("a long answer", hold_after=1)))
    async with on_socket(engine, tmp_path) as client:
        asking = asyncio.create_task(client.post("/v1/completions", json=ASKED))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        (running,) = (await overview(client))["running"]
        assert (running["client"], running["priority"]) == ("ann", "completion")
        engine.release()
        await asking
        after = await overview(client)
    assert after["running"] == after["failures"] == []
    assert [(one["outcome"], one["completion_tokens"]) for one in after["ended"]] == [("stop", 4)]
    assert after["health"]["state"] == "ready"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_is_stopped_and_its_client_told(tmp_path: Path, stream: bool) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("a long answer", hold_after=1)))
    async with on_socket(engine, tmp_path) as client:
        asking = asyncio.create_task(client.post("/v1/completions", json=ASKED | {"stream": stream}))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        id = (await overview(client))["running"][0]["id"]
        assert (await client.delete(f"/v1/requests/{id}")).json() == {"stopped": id}
        answer = await asking
        assert answer.status_code == (200 if stream else 409)
        assert "stopped on the host's dashboard" in answer.text
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)
        after = await overview(client)
        assert (after["failures"][0]["code"], after["ended"][0]["outcome"]) == ("revoked", "revoked")
        assert (await client.delete(f"/v1/requests/{id}")).status_code == 400


async def test_the_model_is_unloaded_and_loaded_again() -> None:
    engine = ScriptedEngine("ok")
    async with in_memory(engine) as client:
        await client.post("/v1/completions", json=ASKED)
        assert (await client.post("/v1/model/unload")).status_code == 200
        await engine.wait_for(lambda engine: engine.closed)
        assert "on demand" in (await overview(client))["health"]["message"]
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "scripted"
        assert not (await overview(client))["engine"]["loaded"], "looking does not load it"
        await client.post("/v1/model/load")
        assert (await client.post("/v1/completions", json=ASKED)).status_code == 200
        assert (await overview(client))["engine"]["loads_total"] == 2


async def test_one_of_several_models_is_unloaded_and_loaded_by_its_name() -> None:
    engines = {name: ScriptedEngine("ok", model=ModelInfo(name, 4096)) for name in ("small", "large")}
    async with in_memory(two_models(engines)) as client:
        for name in engines:
            assert (await client.post("/v1/completions", json=ASKED | {"model": name})).status_code == 200
        assert [one["model"] for one in (await overview(client))["ended"]] == ["small", "large"]
        assert (await client.post("/v1/models/large/unload")).json() == {"id": "large", "object": "model"}
        await engines["large"].wait_for(lambda engine: engine.closed)
        after = await overview(client)
        assert (after["engine"]["loaded"], after["others"][0]["engine"]["loaded"]) == (1, 0)
        assert (await client.post("/v1/models/large/load")).json()["id"] == "large"
        assert (await client.post("/v1/completions", json=ASKED | {"model": "large"})).status_code == 200
        assert (await overview(client))["others"][0]["engine"]["loads_total"] == 2
        assert (await client.post("/v1/models/none/unload")).status_code == 404


async def test_a_model_in_use_is_not_unloaded(tmp_path: Path) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("a long answer", hold_after=1)))
    async with on_socket(engine, tmp_path) as client:
        asking = asyncio.create_task(client.post("/v1/completions", json=ASKED))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        assert (await client.post("/v1/model/unload")).status_code == 429
        engine.release()
        assert (await asking).status_code == 200


async def test_a_door_for_the_browser_is_opened_once_and_needs_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    with ExitStack() as stack:
        doors = Doors(make_service(pool_of(ScriptedEngine("ok"))), open_own_door(tmp_path, stack), stack)
        serving = asyncio.create_task(doors.serve())
        transport = httpx.AsyncHTTPTransport(uds=doors.own.address.socket_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://host", timeout=20) as own:
            url = (await own.post("/v1/dashboard")).json()["url"]
            assert (await own.post("/v1/dashboard")).json()["url"] == url
        base, _, token = url.partition("/#")
        async with httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as browser:
            page = await browser.get("/")
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
            for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
                assert (await browser.get(path)).status_code == 200
            assert (await browser.get("/v1/overview")).status_code == 401
            headers = {"Authorization": f"Bearer {token}"}
            assert (await browser.get("/v1/overview", headers=headers)).status_code == 200
            assert (
                await browser.get("/v1/overview", headers=headers | {"Origin": "https://x.example"})
            ).status_code == 403
        doors.main.should_exit = True
        await serving


async def test_who_names_its_marks_gets_only_what_came_since() -> None:
    engine = ScriptedEngine({"bad": Overloaded("No."), "": "ok"})
    async with in_memory(engine) as client:
        await client.post("/v1/completions", json=ASKED)
        await client.post("/v1/completions", json={"prompt": "bad"})
        first = (await client.get("/v1/overview")).json()
        assert (len(first["ended"]), len(first["failures"])) == (2, 1)
        marks = first["marks"]
        again = (await client.get("/v1/overview", params=marks)).json()
        assert (again["ended"], again["failures"], again["marks"]) == ([], [], marks)
        await client.post("/v1/completions", json={"prompt": "bad"})
        later = (await client.get("/v1/overview", params=marks)).json()
        assert ([one["outcome"] for one in later["ended"]], len(later["failures"])) == (["overloaded"], 1)
        other_life = (await client.get("/v1/overview", params={"ended": 99, "failures": 99})).json()
        assert (len(other_life["ended"]), len(other_life["failures"])) == (3, 2)
        assert (await client.get("/v1/overview", params={"ended": -1})).status_code == 400
