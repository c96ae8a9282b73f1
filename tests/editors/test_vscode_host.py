"""The extension in a real extension host, with `heron lsp` and a host over the scripted engine."""

import re
import sys
from pathlib import Path
from zipfile import ZipFile

from editors.extension_host import run_host_tests
from editors.hosts import run_host, server_settings
from editors.vscode import CodeServer, needs_vscode
from heron.host.engine.scripted import ScriptedEngine, prompt_text
from heron.wire import GenerateRequest

pytestmark = needs_vscode

_WHEEL = "heron_lsp-0.0.1"


_KNOWN = ((re.compile(r" *total(\d*) = (.*)"), r"price\1 * count"), (re.compile(r"()    (.*)"), "x = 1\n    return x"))


def answer(request: GenerateRequest) -> str:
    """What the model would go on with, by the line before the cursor."""
    line = prompt_text(request.prompt).split("│")[0].rsplit("\n", 1)[-1]
    for pattern, template in _KNOWN:
        found = pattern.fullmatch(line)
        text = found.expand(template) if found else ""
        if found and text.startswith(found.group(2)):
            return text[len(found.group(2)) :]
    return ""


async def test_extension_host(code_server: CodeServer, heron_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    _write_wheel(tmp_path)
    async with run_host(ScriptedEngine(answer)) as url:
        code_server.write_settings(
            {
                **server_settings(tmp_path, heron_home, url),
                "heron.server.python": sys.executable,
                "editor.autoIndent": "none",
                "editor.quickSuggestions": {"other": "off"},
            }
        )
        notes = await run_host_tests(code_server, folder)
    assert notes["random"]["accepted"] > 20, notes


def _write_wheel(folder: Path) -> None:
    """A package whose `heron` is that of this Python, for pip to install without a network."""
    python = repr(sys.executable)
    code = f"import os, sys\ndef main(): os.execv({python}, [{python}, '-m', 'heron', *sys.argv[1:]])\n"
    info = f"{_WHEEL}.dist-info"
    with ZipFile(folder / f"{_WHEEL}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("heron_elsewhere.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: heron-lsp\nVersion: 0.0.1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\nheron = heron_elsewhere:main\n")
        wheel.writestr(f"{info}/RECORD", "")
