"""One turn from question to answer: look up, fit into the window, ask, keep."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from heron.editor.document import Document
from heron.editor.features.chat.attachments import Attachment
from heron.editor.features.chat.calls import Calls
from heron.editor.features.chat.compose import Composer, plan_room
from heron.editor.features.chat.conversation import Turn, TurnState
from heron.editor.features.chat.events import Event, FollowUps, TextDelta
from heron.editor.features.chat.follow_ups import propose_follow_ups
from heron.editor.features.chat.gather import Gate
from heron.editor.features.chat.looking import Looking
from heron.editor.features.chat.mode import choose_mode
from heron.editor.features.chat.question import read_question
from heron.editor.features.chat.steps import Emit, Means, Progress, Steps
from heron.editor.prompt.commands import HELP, help_text
from heron.editor.tools.tool import Scene
from heron.errors import HeronError
from heron.wire import Message

Keep = Callable[[Turn], None]
_KEEP_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class TurnAsk:
    """A question and what comes with it. `front` is the document the user is in."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    front: Document | None = None
    turn_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(slots=True)
class _Keeper:
    """Keeps a turn while it runs: at once where asked to, else once a second."""

    turn_id: str
    question: str
    keep: Keep
    progress: Progress
    _kept_at: float = 0.0

    def save(self, state: TurnState) -> Turn:
        references = tuple(self.progress.references)
        turn = Turn(self.turn_id, self.question, self.progress.all_messages(), state, references)
        self.keep(turn)
        self._kept_at = time.monotonic()
        return turn

    def save_now_and_then(self) -> None:
        if time.monotonic() - self._kept_at > _KEEP_EVERY_S:
            self.save("running")


@dataclass(frozen=True, slots=True)
class TurnRun:
    """Answers one question."""

    means: Means
    open_scene: Callable[[], Awaitable[Scene]]
    emit: Emit

    async def answer(self, turns: tuple[Turn, ...], ask: TurnAsk, keep: Keep) -> Turn:
        """The finished turn. One that ends otherwise is kept with what there is of the answer."""
        keeper = _Keeper(ask.turn_id, ask.text, keep, Progress([]))
        keeper.save("running")
        try:
            async with asyncio.timeout(self.means.settings.timeout_s):
                await self._run(turns, ask, keeper)
        except TimeoutError as error:
            keeper.save("failed")
            raise HeronError(f"The turn took longer than {self.means.settings.timeout_s:g} s.") from error
        except asyncio.CancelledError:
            keeper.save("cancelled")
            raise
        except BaseException:
            keeper.save("failed")
            raise
        return keeper.save("complete")

    async def _run(self, turns: tuple[Turn, ...], ask: TurnAsk, keeper: _Keeper) -> None:
        question, progress = read_question(ask.text), keeper.progress
        if question.command == HELP:
            return self._help(ask, progress)
        model = await self.means.source.model()
        mode = choose_mode(self.means.settings.tools, model)
        room = plan_room(model, self.means, self.means.registry.specs() if mode == "model" else ())
        scene = await self.open_scene()
        calls = Calls(self.means.registry, self.means.permit, scene, self.emit, progress.references)
        gate = Gate(self.means.registry, scene, ask.front)
        gathered = await gate.gather(question, ask.attachments, thorough=mode == "gather")
        if mode == "look" and not gathered.finds:
            gathered.add(await Looking(self.means.source, self.means.registry, calls).look(question, turns))
            if not gathered.finds:  # what the model did not find, Heron looks up
                gathered = await gate.gather(question, ask.attachments, thorough=True)
        composer = Composer(self.means, room, self.emit)
        progress.messages.append(composer.write(question, gathered, progress))
        keeper.save("running")
        before = composer.recall(turns, progress)

        def emit_and_keep(event: Event) -> None:
            self.emit(event)
            keeper.save_now_and_then()

        steps = Steps(self.means, calls, emit_and_keep)
        await steps.run(before, progress, room.tools, room.prompt_tokens)
        self.emit(FollowUps(propose_follow_ups(question, progress.references)))

    def _help(self, ask: TurnAsk, progress: Progress) -> None:
        """Answer without a model."""
        progress.messages += [Message("user", ask.text), Message("assistant", help_text())]
        self.emit(TextDelta(help_text()))
