"""A worker with a real model is killed in the middle of answers, greedy and sampled: they go on as if nothing was."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from heron.discovery import read_record

STORY = [{"role": "user", "content": "Write a story about a heron."}]
ASKED = {"messages": STORY, "max_tokens": 150, "stream": True}


def texts(http: httpx.Client, asked: dict[str, Any]) -> Iterator[str]:
    with http.stream("POST", "/v1/chat/completions", json=asked) as answer:
        for line in answer.iter_lines():
            data = line.removeprefix("data: ")
            if data and data != "[DONE]":
                event = json.loads(data)
                assert "error" not in event, event
                yield from (choice["delta"].get("content") or "" for choice in event["choices"])


def kill_worker(home: Path) -> None:
    (worker,) = (
        child for child in psutil.Process(read_record(home).pid).children() if "worker" in " ".join(child.cmdline())
    )
    worker.kill()


@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1, "seed": 7}])
def test_an_answer_survives_its_worker(http: httpx.Client, real_home: Path, sampling: dict[str, float]) -> None:
    whole = "".join(texts(http, ASKED | sampling))
    interrupted = ""
    for number, text in enumerate(texts(http, ASKED | sampling)):
        interrupted += text
        if number == 3:
            kill_worker(real_home)
    assert interrupted == whole
    assert http.get("/v1/stats").json()["engine"]["worker_crashes_total"] >= 1
