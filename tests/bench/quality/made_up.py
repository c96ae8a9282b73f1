"""Answers as bad models give them, made from the file itself: filters are tried at thousands of places without one."""

import random
from collections.abc import AsyncGenerator

from heron.editor.client.client import Infill
from heron.wire import Delta, ModelInfo

_MOST_LINES = 14
_MARKS = "()[]{}\"'`:;,\\"
_TOKENS = ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "```\n", "</s>", "<fim_middle>")


class MadeUpSource:
    """Answers for the place of which `cut` was taken and `below` follows; each request is answered otherwise."""

    def __init__(self, seed: int) -> None:
        self.cut = self.below = self.text = ""
        self._chance = random.Random(seed)

    async def model(self) -> ModelInfo:
        return ModelInfo("made-up", 4096, supports_fim=True)

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        """One way to be wrong, as a stream of a few characters at a time."""
        ways = (self._go_on, self._break_off, self._be_elsewhere, self._slip, self._leak)
        text = self._chance.choice(ways)()
        for start in range(0, len(text), 5):
            yield Delta(text[start : start + 5])
        yield Delta(finish_reason="stop")

    def _go_on(self) -> str:
        """What was there, and what follows it, again."""
        lines = (self.cut + self.below).split("\n")
        return "\n".join(lines[: self._chance.randint(1, _MOST_LINES)])

    def _break_off(self) -> str:
        text = self._go_on()
        return text[: self._chance.randint(0, len(text))]

    def _be_elsewhere(self) -> str:
        """Some lines of another place of the file, perhaps again and again."""
        lines = self.text.split("\n")
        first = self._chance.randrange(len(lines))
        some = lines[first : first + self._chance.randint(1, _MOST_LINES)]
        return "\n".join(some * self._chance.choice((1, 1, 4)))

    def _slip(self) -> str:
        """A character is left out, or another one comes in."""
        text = self._chance.choice((self._go_on, self._be_elsewhere))()
        place = self._chance.randint(0, len(text))
        mark = self._chance.choice(_MARKS)
        return text[:place] + (mark + text[place:] if self._chance.random() < 0.5 else text[place + 1 :])

    def _leak(self) -> str:
        text = self._go_on()
        place = self._chance.randint(0, len(text))
        return text[:place] + self._chance.choice(_TOKENS) + text[place:]
