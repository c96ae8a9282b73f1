"""Prefills a turn's prompt while its question is being typed: all that stands before the question's own words.

That is the system prompt with the tools, the turns before, and the code that is attached or that the words so far
name; it is most of the prompt. A warming is an ordinary request of one token at background priority, stopped when the
turn comes: what it has computed is in the prefix cache.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.chat.compose import Composer, plan_room
from heron.editor.features.chat.conversation import Turn
from heron.editor.features.chat.events import Event
from heron.editor.features.chat.gather import Gate
from heron.editor.features.chat.mode import choose_mode
from heron.editor.features.chat.question import read_question
from heron.editor.features.chat.steps import Means, Progress
from heron.editor.features.chat.turn import TurnAsk
from heron.editor.features.warming import MOST_BUSY_S, Busy
from heron.editor.tools.tool import Scene
from heron.errors import HeronError

logger = logging.getLogger(__name__)

_FRESH_S = 30.0
"""What was warmed so lately is still in the cache."""


class ChatWarming:
    """At most one prompt is warmed, that of the newest draft: a question that may be unfinished."""

    def __init__(self, means: Callable[[], Means], scene: Callable[[], Awaitable[Scene]]) -> None:
        self._means, self._scene = means, scene
        self._task: asyncio.Task[None] | None = None
        self._warmed: ChatAsk | None = None
        self._warmed_at = 0.0
        self._busy = Busy()

    def start(self, turns: tuple[Turn, ...], draft: TurnAsk) -> None:
        """Warm a draft that follows some turns, instead of the one before."""
        self.stop()
        self._task = asyncio.create_task(self._run(turns, draft))

    def stop(self) -> None:
        """Leave the server to somebody else."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, turns: tuple[Turn, ...], draft: TurnAsk) -> None:
        try:
            means = self._means()
            model = await means.source.model()
            if model.supports_chat:  # foreign servers, which tell nothing, are not asked for what nobody reads
                tools = means.registry.specs() if choose_mode(means.settings.tools, model) == "model" else ()
                composer = Composer(means, plan_room(model, means, tools), _tell_nobody)
                await self._warm(means, await self._write(composer, turns, draft))
        except HeronError as error:
            logger.debug("Warming the chat failed: %s", error)

    async def _write(self, composer: Composer, turns: tuple[Turn, ...], draft: TurnAsk) -> ChatAsk:
        """The turn's request but for the question's words, which end the prompt."""
        tools, question, progress = composer.room.tools, read_question(draft.text), Progress([])
        gate = Gate(composer.means.registry, await self._scene(), draft.front)
        gathered = await gate.gather(question, draft.attachments, thorough=not tools)
        progress.messages.append(composer.write(replace(question, text="", command=""), gathered, progress))
        before = composer.recall(turns, progress)
        return ChatAsk((*before, *progress.messages), tools, max_tokens=1, priority="background")

    async def _warm(self, means: Means, ask: ChatAsk) -> None:
        """Have the model read the prompt, unless it did just now or was kept busy enough."""
        began, usage = time.monotonic(), None
        is_fresh = ask == self._warmed and began - self._warmed_at < _FRESH_S
        if is_fresh or self._busy.seconds() > MOST_BUSY_S:
            return
        try:
            async with aclosing(means.source.chat(ask)) as deltas:
                async for delta in deltas:
                    usage = delta.usage or usage
            self._warmed, self._warmed_at = ask, time.monotonic()
        finally:
            self._busy.add(time.monotonic() - began)
            logger.debug("Warmed the chat: %s", usage)


def _tell_nobody(event: Event) -> None:
    """What a warming shows is told when the question is asked."""
