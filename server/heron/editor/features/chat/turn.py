"""One turn from question to answer: look up, fit into the window, ask, keep."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from heron.editor.document import Document
from heron.editor.features.chat.attachments import Attachment
from heron.editor.features.chat.calls import Calls
from heron.editor.features.chat.conversation import Turn, TurnState
from heron.editor.features.chat.events import Event, FollowUps, Notice, ReferenceUsed, TextDelta
from heron.editor.features.chat.follow_ups import propose_follow_ups
from heron.editor.features.chat.gather import Gate, Gathered
from heron.editor.features.chat.history import count_messages, first_shown, messages_of
from heron.editor.features.chat.looking import Looking
from heron.editor.features.chat.mode import choose_mode
from heron.editor.features.chat.question import Question, read_question
from heron.editor.features.chat.steps import Emit, Means, Progress, Steps
from heron.editor.prompt.chat import SYSTEM_PROMPT, fit_passages, write_question
from heron.editor.prompt.commands import HELP, help_text, write_command
from heron.editor.tools.tool import Scene
from heron.errors import HeronError, PromptTooLong
from heron.wire import Message, ModelInfo, ToolSpec

Keep = Callable[[Turn], None]
_KEEP_EVERY_S = 1.0
_SPARE_TOKENS = 32
"""The template's own marks, and what the estimate of tokens may be short of."""
_QUESTION_TOKENS = 64
"""Left to a question of usual length; a longer one takes from the earlier turns."""


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
        room = _plan_room(model, self.means, self.means.registry.specs() if mode == "model" else ())
        scene = await self.open_scene()
        calls = Calls(self.means.registry, self.means.permit, scene, self.emit, progress.references)
        gate = Gate(self.means.registry, scene, ask.front)
        gathered = await gate.gather(question, ask.attachments, thorough=mode == "gather")
        if mode == "look" and not gathered.finds:
            gathered.add(await Looking(self.means.source, self.means.registry, calls).look(question, turns))
            if not gathered.finds:  # what the model did not find, Heron looks up
                gathered = await gate.gather(question, ask.attachments, thorough=True)
        progress.messages.append(self._write(question, gathered, progress, room))
        keeper.save("running")
        before = self._recall(turns, progress, room)

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

    def _write(self, question: Question, gathered: Gathered, progress: Progress, room: "_Room") -> Message:
        """The user's message with what was gathered for it, within the budget."""
        finds = gathered.finds
        shown = fit_passages([find.passage for find in finds], room.context_tokens, self.means.count)
        places = {(passage.path, passage.first_line) for passage in shown.passages}
        for find in finds:
            if find.reference and (find.passage.path, find.passage.first_line) in places:
                progress.references.append(find.reference)
                self.emit(ReferenceUsed(find.reference))
        for note in gathered.notes:
            self.emit(Notice(note))
        if shown.num_cut or shown.num_dropped:
            self.emit(Notice(f"To fit the budget, code was cut ({shown.num_cut}) or left out ({shown.num_dropped})."))
        return Message("user", write_question(write_command(question.command, question.text), shown))

    def _recall(self, turns: tuple[Turn, ...], progress: Progress, room: "_Room") -> tuple[Message, ...]:
        """What stands before the question: the system prompt and as many turns as fit."""
        count = self.means.count
        system = Message("system", SYSTEM_PROMPT)
        left = room.prompt_tokens - count_messages((system, *progress.messages), count)
        if left < 0:
            raise PromptTooLong(f"The question is about {-left} tokens too long for the model's window.")
        first = first_shown(turns, min(left, room.history_tokens), count)
        if first:
            self.emit(Notice(f"The model's window is full: the oldest {first} turns are left out."))
        return (system, *messages_of(turns[first:]))


@dataclass(frozen=True, slots=True)
class _Room:
    """How the window is shared out. The share of earlier turns does not depend on the question, so that those that
    are shown change seldom, and with them the prompt's beginning that is in the KV cache.
    """

    tools: tuple[ToolSpec, ...]
    prompt_tokens: int
    context_tokens: int
    history_tokens: int


def _plan_room(model: ModelInfo, means: Means, tools: tuple[ToolSpec, ...]) -> _Room:
    """Half the window at least is for the prompt, half of that at least for earlier turns."""
    offered = sum(means.count(spec.name + spec.description + spec.parameters) for spec in tools)
    answer = min(means.settings.max_tokens, model.context_window // 2)
    prompt = model.context_window - answer - _SPARE_TOKENS - offered
    context = max(0, min(means.settings.context_tokens, prompt // 2))
    return _Room(tools, prompt, context, max(0, prompt - context - means.count(SYSTEM_PROMPT) - _QUESTION_TOKENS))
