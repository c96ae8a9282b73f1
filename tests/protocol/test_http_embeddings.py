"""`/v1/embeddings`: an honest refusal that names the model."""

import pytest

from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import in_memory


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"input": "x"}, 400, "'scripted' writes text and makes no embeddings"),
        ({"input": ["x", "y"], "model": "scripted"}, 400, "makes no embeddings"),
        ({"input": [[1, 2], [3]]}, 400, "makes no embeddings"),
        ({"input": "x", "model": "text-embedding-3"}, 404, "text-embedding-3"),
        ({"input": []}, 400, "input:"),
        ({"input": {"a": 1}}, 400, "input:"),
        ({}, 400, "input is missing"),
    ],
)
async def test_it_says_why_not(body: dict[str, object], status: int, words: str) -> None:
    async with in_memory(ScriptedEngine("x")) as client:
        answer = await client.post("/v1/embeddings", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
