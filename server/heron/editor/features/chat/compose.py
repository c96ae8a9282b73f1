"""What a model is shown in a turn: the system prompt, the turns before, the question with what was gathered for it."""

from collections.abc import Callable
from dataclasses import dataclass

from heron.editor.features.chat.conversation import Turn
from heron.editor.features.chat.events import Event, Notice, ReferenceUsed
from heron.editor.features.chat.gather import Gathered
from heron.editor.features.chat.history import count_messages, first_shown, messages_of
from heron.editor.features.chat.question import Question
from heron.editor.features.chat.steps import Means, Progress
from heron.editor.prompt.chat import SYSTEM_PROMPT, fit_passages, write_question
from heron.editor.prompt.commands import write_command
from heron.errors import PromptTooLong
from heron.wire import Message, ModelInfo, ToolSpec

_SPARE_TOKENS = 32
"""The template's own marks, and what the estimate of tokens may be short of."""
_QUESTION_TOKENS = 64
"""Left to a question of usual length; a longer one takes from the earlier turns."""


@dataclass(frozen=True, slots=True)
class Room:
    """How the window is shared out. The share of earlier turns does not depend on the question, so that those that
    are shown change seldom, and with them the prompt's beginning that is in the KV cache.
    """

    tools: tuple[ToolSpec, ...]
    prompt_tokens: int
    context_tokens: int
    history_tokens: int


def plan_room(model: ModelInfo, means: Means, tools: tuple[ToolSpec, ...]) -> Room:
    """Half the window at least is for the prompt, half of that at least for earlier turns."""
    offered = sum(means.count(spec.name + spec.description + spec.parameters) for spec in tools)
    answer = min(means.settings.max_tokens, model.context_window // 2)
    prompt = model.context_window - answer - _SPARE_TOKENS - offered
    context = max(0, min(means.settings.context_tokens, prompt // 2))
    return Room(tools, prompt, context, max(0, prompt - context - means.count(SYSTEM_PROMPT) - _QUESTION_TOKENS))


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes a turn's messages within the window; `emit` is told what is shown and what is left out."""

    means: Means
    room: Room
    emit: Callable[[Event], None]

    def write(self, question: Question, gathered: Gathered, progress: Progress) -> Message:
        """The user's message with what was gathered for it, within the budget."""
        finds = gathered.finds
        shown = fit_passages([find.passage for find in finds], self.room.context_tokens, self.means.count)
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

    def recall(self, turns: tuple[Turn, ...], progress: Progress) -> tuple[Message, ...]:
        """What stands before the question: the system prompt and as many turns as fit."""
        count = self.means.count
        system = Message("system", SYSTEM_PROMPT)
        left = self.room.prompt_tokens - count_messages((system, *progress.messages), count)
        if left < 0:
            raise PromptTooLong(f"The question is about {-left} tokens too long for the model's window.")
        first = first_shown(turns, min(left, self.room.history_tokens), count)
        if first:
            self.emit(Notice(f"The model's window is full: the oldest {first} turns are left out."))
        return (system, *messages_of(turns[first:]))
