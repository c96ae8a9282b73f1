"""What a user of Neovim sees on a terminal: ghost text beside code, in dark and in light colours."""

import os
from pathlib import Path

import pytest

from editors.hosts import run_host, write_command
from editors.nvim import FOUND, PLUGIN, needs_nvim
from editors.pages import write_home
from editors.terminal import Terminal, run_program
from editors.test_neovim_completions import answer
from heron.host.engine.scripted import ScriptedEngine
from homes import STORE, environment

pytestmark = needs_nvim
SHOTS = Path(os.environ.get("HERON_SHOTS", STORE / "shots"))
"""Read before tests empty HERON_*."""
INIT = """
vim.opt.runtimepath:prepend({plugin!r})
vim.o.background, vim.o.termguicolors, vim.o.laststatus = {background!r}, true, 2
vim.cmd([[set statusline=%{{v:lua.require'heron'.statusline()}}]])
require("heron").setup({{ cmd = {{ {command!r}, "lsp" }} }})
"""


@pytest.mark.parametrize("background", ["dark", "light"])
async def test_ghost_text_is_seen_and_is_not_code(background: str, tmp_path: Path) -> None:
    (tmp_path / "work" / ".git").mkdir(parents=True)
    (tmp_path / "work" / "a.txt").write_text("price = 2\ntotal =\n", encoding="utf-8")
    given = {"plugin": str(PLUGIN), "background": background, "command": str(write_command(tmp_path))}
    (tmp_path / "init.lua").write_text(INIT.format(**given), encoding="utf-8")
    command = [str(FOUND[0]), "--clean", "-n", "-u", str(tmp_path / "init.lua"), "a.txt"]
    async with run_host(ScriptedEngine(answer)) as url:
        kept = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        variables = environment(write_home(tmp_path / "home", url), **kept)
        async with run_program(command, tmp_path / "work", variables) as terminal:
            await look(terminal, SHOTS / f"neovim-{background}.html")


async def look(terminal: Terminal, shot: Path) -> None:
    await terminal.wait_text("Heron ready")
    terminal.press("GA ")
    await terminal.wait_text("total = price * count")
    keep(terminal, shot)
    (code,) = terminal.colours_of("price = 2")
    (ghost,) = terminal.colours_of("rice * count")  # the cursor is on its first letter
    assert ghost not in (code, terminal.screen.buffer[1][0].bg)
    terminal.press("\t")
    await terminal.wait_for("it to be code", lambda _: terminal.colours_of("rice * count") == {code})


def keep(terminal: Terminal, shot: Path) -> None:
    """What stands on the screen, for people to look at."""
    shot.parent.mkdir(parents=True, exist_ok=True)
    shot.write_text(terminal.html(), encoding="utf-8")
