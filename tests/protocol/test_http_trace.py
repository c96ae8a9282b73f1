"""`heron trace` against a real host: a file with the requests, and the steps of an engine, but no text."""

import asyncio
import json
from pathlib import Path

import pytest

from heron import cli, discovery
from heron.host.engine.scripted import ScriptedEngine
from heron.host.engine.spans import Share, StepSpan
from protocol.http_host import in_memory
from protocol.tcp_host import serving

SECRET = "a secret prompt"


class SteppingEngine(ScriptedEngine):
    """A scripted engine that tells of one step for each request."""

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        shares = (Share(request.request_id, "prefill", 5) for request in self.requests)
        return tuple(StepSpan(since_s, since_s + 0.01, 0.005, (share,)) for share in shares)


async def test_requests_and_steps_are_told_without_text() -> None:
    async with in_memory(SteppingEngine("an answer")) as client:
        await client.post("/v1/completions", json={"prompt": SECRET, "user": "ann"})
        answer = await client.get("/v1/trace")
        assert (await client.get("/v1/trace?seconds=0")).status_code == 400
    names = [event["name"] for event in answer.json()["traceEvents"]]
    assert {"completion of ann", "queue", "streaming", "step", "prefill"} <= set(names)
    assert "secret" not in answer.text
    assert "answer" not in answer.text


def test_without_a_host_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    assert cli.main(["trace", str(tmp_path / "t.json")]) == 1
    assert "No Heron host runs" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["trace", "--seconds", "0"])


async def test_the_command_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through a real socket and the discovery record of a home."""

    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    async with serving(tmp_path, SteppingEngine("an answer"), port=None) as endpoint:
        discovery.write_record(tmp_path, endpoint.address)
        output = tmp_path / "trace.json"
        assert await asyncio.to_thread(cli.main, ["trace", str(output)]) == 0
    assert json.loads(output.read_text())["displayTimeUnit"] == "ms"
    assert "0 requests, 0 steps" in capsys.readouterr().out
