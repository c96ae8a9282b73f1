"""The extension's package.json mirrors the server's settings."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

from homes import CHECKOUT

SCRIPTS = CHECKOUT / "editors" / "vscode" / "scripts"


def test_settings_are_those_of_the_server() -> None:
    script = _load(SCRIPTS / "settings.py")
    package = json.loads(script.PACKAGE.read_text(encoding="utf-8"))
    sections = package["contributes"]["configuration"][1:]
    assert sections == script.make_sections(), "run editors/vscode/scripts/settings.py"


def _load(path: Path) -> ModuleType:
    """A script that is no part of a package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
