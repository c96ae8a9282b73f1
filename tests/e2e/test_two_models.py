"""Two real models in one host: one completes, another chats, each with a worker of its own."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from heron.commands.client import open_client
from heron.commands.talk import begin_talk
from homes import CODER, SMALL


def complete(http: httpx.Client) -> Any:
    return http.post("/v1/completions", json={"prompt": "def add(a, b):\n    return ", "max_tokens": 4}).json()


@pytest.mark.usefixtures("real_home")
async def test_chat_has_a_model_of_its_own(http: httpx.Client, tmp_path: Path) -> None:
    async with open_client(tmp_path, settings={"chat": {"model": SMALL}}) as client:
        await client.wait_ready(lambda health: None)
        talk = await begin_talk(client)
        turn = await talk.ask("Say hello.", lambda value: None)
    assert turn["answer"]
    assert (await asyncio.to_thread(complete, http))["model"] == CODER
    overview = (await asyncio.to_thread(http.get, "/v1/overview")).json()
    (small,) = (other for other in overview["others"] if other["model"] == SMALL)
    assert (small["state"], small["engine"]["loaded"], overview["engine"]["loaded"]) == ("ready", 1, 1)
    assert small["engine"]["decoded_tokens_total"] > 0, "the chat went to the model it was meant for"


def test_a_model_that_is_not_here_is_not_fetched_for_a_request(http: httpx.Client) -> None:
    answer = http.post("/v1/completions", json={"prompt": "x", "model": "qwen2.5-coder-7b-instruct"})
    assert answer.status_code == 404
    assert "heron models pull" in answer.json()["error"]["message"]
