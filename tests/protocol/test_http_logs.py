"""The log of a real host as JSON: every line is an object, requests are told in figures, prompts and answers never."""

import json
import os
import signal
from pathlib import Path

import httpx
import psutil
import pytest

from heron import discovery

SECRET, ANSWER = "a secret prompt", "42"


def test_every_line_is_json_and_none_has_text(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    (heron_home / "config.toml").write_text('[host]\nlog_format = "json"\n')
    transport = httpx.HTTPTransport(uds=discovery.ensure_host(heron_home).socket_path)
    host = psutil.Process(discovery.read_record(heron_home).pid)
    with httpx.Client(transport=transport, base_url="http://host", timeout=30) as client:
        body = {"prompt": SECRET, "max_tokens": 3, "user": "ann"}
        assert client.post("/v1/completions", json=body).json()["choices"][0]["text"] == ANSWER
    os.kill(host.pid, signal.SIGTERM)
    host.wait(30)
    text = discovery.log_path(heron_home).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    (request,) = (line for line in lines if "outcome" in line)
    assert (request["priority"], request["client"], request["outcome"], request["process"]) == (
        "completion", "ann", "stop", "host",
    )  # fmt: skip
    assert request["whole_ms"] >= request["first_ms"] > 0
    assert "secret" not in text
