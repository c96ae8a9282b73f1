"""A program on a terminal of its own: what it shows, and keys for it."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pyte

COLUMNS, LINES = 100, 30
TIMEOUT_S = 90
_UNKNOWN = re.compile(rb"\x1b\[[?<=>][\d;:]*\$?[^\d;:hl$]|\x1bP.*?\x1b\\\\", re.DOTALL)
"""Questions to newer terminals, of which pyte knows nothing."""
_UNFINISHED = re.compile(rb"\x1b(?:P[^\x1b]*(?:\x1b)?|\[[?<=>]?[\d;:]*\$?)?\Z")


@dataclass(slots=True)
class Terminal:
    """A screen that follows what the program writes."""

    master: int
    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, LINES))
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stream: pyte.ByteStream = field(init=False)
    _pending: bytes = b""

    def __post_init__(self) -> None:
        self.stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        """What stands on the screen; lines end where they do."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def html(self) -> str:
        """The screen with its colours, for people to look at."""
        cells = (self.screen.buffer[line][column] for line in range(LINES) for column in range(COLUMNS))
        spans = [f'<span style="{_style(cell)}">{escape(cell.data)}</span>' for cell in cells]
        rows = ["".join(spans[start : start + COLUMNS]) for start in range(0, len(spans), COLUMNS)]
        return "<!doctype html><meta charset=utf-8><pre>" + "\n".join(rows) + "</pre>\n"

    def colours_of(self, text: str) -> set[str]:
        """The colours of a text's letters where it stands on the screen, which may be half written just now."""
        places = ((number, row.find(text)) for number, row in enumerate(self.screen.display) if text in row)
        line, column = next(places, (0, -1))
        shown = enumerate(text) if column >= 0 else ()
        return {str(self.screen.buffer[line][column + place].fg) for place, letter in shown if letter != " "}

    def press(self, keys: str) -> None:
        """Type keys, as a terminal sends them."""
        os.write(self.master, keys.encode())

    async def wait_for(self, what: str, condition: Callable[[str], bool]) -> str:
        """The screen once a condition holds for its text."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not condition(self.text):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}; the screen:\n{self.text}") from None
        return self.text

    async def wait_text(self, part: str) -> str:
        return await self.wait_for(repr(part), lambda text: part in text)

    def read(self) -> None:
        """Take what the program wrote; called when there is something."""
        with suppress(OSError):  # the program ended
            told = _UNKNOWN.sub(b"", self._pending + os.read(self.master, 65536))
            cut = _UNFINISHED.search(told)
            end = cut.start() if cut else len(told)
            self._pending = told[end:]
            self.stream.feed(told[:end])
            self.changed.set()


def _style(cell: pyte.screens.Char) -> str:
    colours = [cell.fg, cell.bg][:: -1 if cell.reverse else 1]
    named = [f"#{colour}" if re.fullmatch(r"[0-9a-f]{6}", colour) else colour for colour in colours]
    return ";".join(f"{what}:{colour}" for what, colour in zip(("color", "background"), named, strict=True))


@asynccontextmanager
async def run_program(command: list[str], folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Start a program on a terminal; it is killed at the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    given = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=given, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    terminal = Terminal(master)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, terminal.read)
    try:
        yield terminal
    finally:
        loop.remove_reader(master)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        os.close(master)
