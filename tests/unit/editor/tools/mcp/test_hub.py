"""Tools of MCP servers, which are real child processes here."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heron.editor.tools.consent import ConsentQuestion
from heron.editor.tools.tool import Scene, ToolOutcome
from heron.editor.tools.toolbox import Toolbox
from heron.editor.workspace.folders import open_workspace
from heron.settings import ToolsSettings
from heron.wire import ToolCall

SERVER = Path(__file__).with_name("server_for_tests.py")
STDIO = {"command": sys.executable, "args": [str(SERVER)]}


@asynccontextmanager
async def toolbox_of(home: Path, servers: object) -> AsyncIterator[tuple[Toolbox, list[str]]]:
    (home / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    faults: list[str] = []
    toolbox = Toolbox(ToolsSettings(plugins=False), home, faults.append)
    toolbox.open()
    await toolbox.opened()
    try:
        yield toolbox, faults
    finally:
        await toolbox.close()


def scene_of(folder: Path) -> Scene:
    return Scene(open_workspace([folder]))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return scene_of(tmp_path)


async def run(toolbox: Toolbox, scene: Scene, name: str, text: str = "") -> ToolOutcome:
    return await toolbox.registry.run(ToolCall("1", name, json.dumps({"text": text})), scene)


async def test_tools_of_a_server_on_stdio_are_called(heron_home: Path, scene: Scene) -> None:
    async with toolbox_of(heron_home, {"one": STDIO}) as (toolbox, faults):
        outcome = await run(toolbox, scene, "one.echo", "hello")
        assert outcome.status == "ok"
        assert outcome.text.startswith("hello (")
        assert (await run(toolbox, scene, "one.fail")).text == "It failed on purpose."
        assert len(faults) == 1, "the tool with a space in its name is told of"
        assert "'one.bad schema'" in faults[0]


async def test_tools_not_marked_as_reading_are_asked_for(heron_home: Path, scene: Scene) -> None:
    asked: list[ConsentQuestion] = []

    async def permit(question: ConsentQuestion) -> bool:
        asked.append(question)
        return True

    async with toolbox_of(heron_home, {"one": STDIO}) as (toolbox, _):
        assert (await run(toolbox, scene, "one.write")).status == "refused"
        call = ToolCall("1", "one.write", '{"text": "x"}')
        assert (await toolbox.registry.run(call, scene, permit)).status == "ok"
        assert [question.tool for question in asked] == ["one.write"]


async def test_a_server_that_dies_is_started_again_once(heron_home: Path, scene: Scene) -> None:
    async with toolbox_of(heron_home, {"one": STDIO}) as (toolbox, _):
        first = await run(toolbox, scene, "one.echo")
        died = await run(toolbox, scene, "one.die")
        assert died.status == "error"
        assert "ended while it was asked. It was started again" in died.text
        second = await run(toolbox, scene, "one.echo")
        assert second.status == "ok"
        assert second.text != first.text, "another process answers"
        again = await run(toolbox, scene, "one.die")
        assert "not started again" in again.text
        assert "not started any more" in (await run(toolbox, scene, "one.echo")).text


async def test_huge_results_do_not_hold_up_the_loop(heron_home: Path, scene: Scene) -> None:
    async with toolbox_of(heron_home, {"one": STDIO}) as (toolbox, _):
        running = asyncio.create_task(run(toolbox, scene, "one.huge"))
        turns = 0
        while not running.done():
            await asyncio.wait([running], timeout=0.01)
            turns += 1
        assert turns > 3, "the loop went on meanwhile"
        outcome = running.result()
        assert len(outcome.text) < 20_000
        assert "12,000 of 5,000," in outcome.text


async def test_cancelling_a_call_leaves_the_server_usable(heron_home: Path, scene: Scene) -> None:
    async with toolbox_of(heron_home, {"one": STDIO}) as (toolbox, _):
        hanging = asyncio.create_task(run(toolbox, scene, "one.hang"))
        assert (await run(toolbox, scene, "one.echo", "meanwhile")).status == "ok"
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        assert (await run(toolbox, scene, "one.echo", "after")).status == "ok"


async def test_servers_that_cannot_be_used_are_told_of_and_the_others_serve(heron_home: Path, scene: Scene) -> None:
    servers = {
        "absent": {"command": "no-such-program"},
        "silent": {"command": sys.executable, "args": ["-c", "raise SystemExit(1)"]},
        "nowhere": {"url": "http://127.0.0.1:1/mcp"},
        "one": STDIO,
    }
    async with toolbox_of(heron_home, servers) as (toolbox, faults):
        assert (await run(toolbox, scene, "one.echo")).status == "ok"
        for name in ("absent", "silent", "nowhere"):
            assert sum(f"MCP server {name}" in fault for fault in faults) == 1, faults


async def test_tools_of_a_server_by_http_are_called(heron_home: Path, scene: Scene) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, str(SERVER), "http", stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        async with toolbox_of(heron_home, {"web": {"url": f"http://127.0.0.1:{port}/mcp"}}) as (toolbox, _):
            assert (await run(toolbox, scene, "web.echo", "hello")).text.startswith("hello (")
            died = await run(toolbox, scene, "web.die")
            assert died.status == "error"
            assert "MCP server web" in died.text
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
