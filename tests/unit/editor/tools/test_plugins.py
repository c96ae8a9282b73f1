"""Tools of other packages, by entry point: loaded late, and nothing they do reaches further than themselves."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from heron.editor.tools import plugins
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Consent, Scene, ToolLimits, ToolResult
from heron.editor.tools.toolbox import Toolbox
from heron.settings import ToolsSettings
from heron.wire import ToolCall, ToolSpec
from unit.editor.tools.scenes import scene_of

HERE = "unit.editor.tools.test_plugins"


@dataclass(frozen=True)
class Sleeper:
    """A tool of another package that blocks its event loop."""

    spec: ToolSpec = ToolSpec("sleeper", "Sleeps.", '{"type": "object"}')
    consent: Consent = "free"
    limits: ToolLimits = ToolLimits(time_s=0.1)

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        time.sleep(1)  # noqa: ASYNC251
        return ToolResult("late")


@dataclass(frozen=True)
class Greeter(Sleeper):
    spec: ToolSpec = ToolSpec("greeter", "Greets.", '{"type": "object"}')
    limits: ToolLimits = ToolLimits()

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        return ToolResult("hello")


GREETER = Greeter()


def leave() -> None:
    sys.exit(3)


async def test_broken_plugins_are_told_of_and_the_others_kept(
    heron_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {
        "absent": "no_such_module:tool",
        "attribute": f"{HERE}:nothing",
        "exits": f"{HERE}:leave",
        "greeter": f"{HERE}:GREETER",
        "no_tool": f"{HERE}:HERE",
        "sleeper": f"{HERE}:Sleeper",
        "twice": f"{HERE}:Greeter",
    }
    found = [EntryPoint(name, value, plugins.GROUP) for name, value in entries.items()]
    monkeypatch.setattr(plugins, "entry_points", lambda group: found if group == plugins.GROUP else [])
    faults: list[str] = []
    toolbox = Toolbox(ToolsSettings(), heron_home, faults.append)
    toolbox.open()
    await toolbox.opened()
    registry = toolbox.registry
    await toolbox.close()
    assert {spec.name for spec in registry.specs()} >= {"greeter", "sleeper", "read_file"}
    assert [fault.split()[2] for fault in faults] == ["absent", "attribute", "exits", "no_tool", "twice"]


async def test_a_plugin_that_blocks_is_timed_out(tmp_path: Path) -> None:
    registry = Registry()
    for name in ("GREETER", "Sleeper"):
        registry.add(plugins.Plugin(EntryPoint(name, f"{HERE}:{name}", plugins.GROUP)).load())
    assert (await registry.run(ToolCall("1", "greeter", "{}"), scene_of(tmp_path))).text == "hello"
    outcome = await registry.run(ToolCall("1", "sleeper", "{}"), scene_of(tmp_path))
    assert outcome.text == "sleeper did not answer within 0.1 s."
