"""The pages for editors of other people: the configuration they show is what the tests run."""

import re
from pathlib import Path

from homes import CHECKOUT

EDITORS = CHECKOUT / "editors"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page such as `emacs.md`, in order."""
    text = (EDITORS / page).read_text(encoding="utf-8")
    found = [body for name, body in _BLOCK.findall(text) if name == language]
    assert found, f"{page} has no block of {language}"
    return found


def write_home(home: Path, url: str) -> Path:
    """A home of Heron whose settings name a host that runs, and let the popup wait for it on a busy machine."""
    home.mkdir(parents=True, exist_ok=True)
    settings = f'[host]\nurl = "{url}"\n[completion]\npopup_ms = 5000\n'
    (home / "config.toml").write_text(settings, encoding="utf-8")
    return home
