"""The official OpenAI client for Node works against a host unchanged. HERON_OPENAI_NODE names where it is installed."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from heron.errors import Overloaded
from heron.host.engine.scripted import Reply, ScriptedEngine
from heron.wire import ToolCall
from protocol.tcp_host import serving

FOLDER = os.environ.get("HERON_OPENAI_NODE", "")  # read before tests empty HERON_*
SCRIPT = Path(__file__).with_name("openai_client.mjs")
ANSWERS = {
    "hello": "hello to you",
    "def ": "return 1\n",
    "busy": Overloaded("The queue is full."),
    "look": Reply("", tool_calls=(ToolCall("1", "look", "{}"),)),
    "forever": Reply("an answer that waits", hold_after=1),
}

pytestmark = pytest.mark.skipif(
    not FOLDER or shutil.which("node") is None,
    reason="no Node or no OpenAI client for it: run .ci/install-openai-node and set HERON_OPENAI_NODE",
)


async def test_it_completes_chats_calls_tools_streams_leaves_and_fails_in_its_own_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    engine = ScriptedEngine(ANSWERS)
    async with serving(tmp_path, engine) as endpoint:
        found = await _run(endpoint.address.base_url, endpoint.address.token)
        await asyncio.wait_for(engine.wait_for(lambda engine: len(engine.aborted) == 1), 20)
    assert found["completion"] == found["stream"] == "return 1\n"
    assert found["tokens"] == ["retu", "rn 1", "\n"]
    assert found["chat"] == found["accumulated"] == "hello to you"
    assert found["usage"] == found["accumulatedTokens"] == 3
    assert (found["call"], found["models"]) == ("look", ["scripted"])
    assert found["errors"] == [
        "NotFoundError", "BadRequestError", "RateLimitError", "BadRequestError", "AuthenticationError",
    ]  # fmt: skip


async def _run(base_url: str, token: str) -> dict[str, object]:
    environment = {"PATH": os.environ["PATH"], "HERON_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), FOLDER, base_url, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    found: dict[str, object] = json.loads(output)
    return found
