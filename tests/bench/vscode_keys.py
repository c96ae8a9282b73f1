"""Types a trace into a window of VS Code, and tells when ghost text was drawn for which key."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.trace import Key, Segment
from editors.workbench import Workbench
from heron.wire import GenerateRequest

_LETTER = re.compile("[A-Za-z]")
_LETTERS = "bcdfghjklmnpqrstvwxz"
_LAST_PAUSE_S = 1.0
_WATCH = """() => {
  const seen = (window.heron = { keys: [], drawn: [] });
  const editor = document.querySelector(".part.editor");
  const now = () => performance.timeOrigin + performance.now();
  let shown = "";
  const look = () => {
    const pieces = editor.querySelectorAll(".ghost-text, .ghost-text-decoration");
    const text = [...pieces].map((piece) => piece.textContent).join("");
    if (text && !shown.endsWith(text)) seen.drawn.push(now());
    shown = text;
  };
  new MutationObserver(look).observe(editor, { childList: true, subtree: true });
  window.addEventListener("keydown", ({ key }) => key.length === 1 && seen.keys.push(now()), true);
}"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A key and the first text drawn for it, in ms of the system's clock."""

    pressed_ms: float
    drawn_ms: float


@dataclass(slots=True)
class WrongLetters:
    """A model that knows what follows but errs in its first letter: few offers fit the keys that come next."""

    rest: str = ""
    """What is still to be typed of the line."""
    _asked: int = 0

    def answer(self, request: GenerateRequest) -> str:
        """The rest of the line with another first letter, one after the other."""
        self._asked += 1
        return _LETTER.sub(self._other, self.rest, count=1)

    def _other(self, found: re.Match[str]) -> str:
        others = _LETTERS.replace(found[0], "")
        return others[self._asked % len(others)]


@dataclass(slots=True)
class Typist:
    """Types segments one after the other into the file in front, at the trace's own pace."""

    workbench: Workbench
    offers: WrongLetters
    name: str
    num_keys: int = 0
    _seen: dict[str, list[float]] = field(default_factory=dict)

    async def begin(self) -> "Typist":
        await self.workbench.page.evaluate(_WATCH)
        return self

    async def type(self, segment: Segment) -> None:
        """Type between what is before and after the cursor; fails if the file then holds anything else."""
        await self._place(segment)
        due = time.monotonic()
        for number, key in enumerate(segment.keys):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += key.pause_s
            self.offers.rest = _rest_of_line(segment, number)
            await self._press(key)
        await asyncio.sleep(_LAST_PAUSE_S)
        self.num_keys += len(segment.keys)
        typed = "".join(key.text for key in segment.keys)
        assert await self.workbench.save(self.name) == segment.before + typed + segment.after

    async def drawn(self) -> list[Drawn]:
        """Of the keys that brought text before the next one."""
        seen: dict[str, Any] = await self.workbench.page.evaluate("() => window.heron")
        found = []
        for pressed, following in pairwise([*seen["keys"], float("inf")]):
            first = next((at for at in seen["drawn"] if pressed < at < following), None)
            if first is not None:
                found.append(Drawn(pressed, first))
        return found

    async def _place(self, segment: Segment) -> None:
        """All of the file anew, the cursor where the typing begins."""
        self.offers.rest = ""
        await self.workbench.page.locator(".part.editor .view-lines").click()
        await self.workbench.press("Control+a", "Delete")
        await self._paste(segment.after)
        await self.workbench.press("Control+Home")
        await self._paste(segment.before)

    async def _paste(self, text: str) -> None:
        await self.workbench.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        await self.workbench.press("Control+v")

    async def _press(self, key: Key) -> None:
        if not key.text.startswith("\n"):
            await self.workbench.page.keyboard.type(key.text)
            return
        await self.workbench.press("Enter")
        if key.text != "\n":
            await self.workbench.page.keyboard.insert_text(key.text[1:])


def _rest_of_line(segment: Segment, number: int) -> str:
    """What follows the key of that number on its line."""
    text = "".join(key.text for key in segment.keys[number + 1 :])
    return text.partition("\n")[0]
