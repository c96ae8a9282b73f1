"""The extension in a real extension host, with `heron lsp` and a host over the scripted engine."""

import re
from pathlib import Path

import pytest

from editors.extension_host import run_host_tests
from editors.hosts import run_host, server_settings
from editors.vscode import CodeServer, needs_vscode
from heron.host.engine.scripted import ScriptedEngine, prompt_text
from heron.wire import GenerateRequest

pytestmark = needs_vscode

_KNOWN = (
    (re.compile(r" *total(\d*) = (.*)"), r"price\1 * count"),
    (re.compile(r"sum = (price\d)()"), " * count"),
    (re.compile(r"()    (.*)"), "x = 1\n    return x"),
)


def answer(request: GenerateRequest) -> str:
    """What the model would go on with, by the line before the cursor; what is drawn at random differs by its seed."""
    line = prompt_text(request.prompt).split("│")[0].rsplit("\n", 1)[-1]
    for pattern, template in _KNOWN:
        found = pattern.fullmatch(line)
        text = found.expand(template) if found else ""
        if found and text.startswith(found.group(2)):
            return text[len(found.group(2)) :] + str(request.sampling.seed or "")
    return ""


@pytest.mark.usefixtures("host_stopped")
async def test_extension_host(code_server: CodeServer, heron_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    async with run_host(ScriptedEngine(answer)) as url:
        code_server.write_settings(
            {
                **server_settings(tmp_path, heron_home, url),
                "editor.autoIndent": "none",
                "editor.quickSuggestions": {"other": "off"},
            }
        )
        notes = await run_host_tests(code_server, folder)
    assert notes["random"]["accepted"] > 20, notes
