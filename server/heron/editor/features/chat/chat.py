"""Conversations of one editor: begun, resumed, asked, kept. One turn of a conversation runs at a time."""

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from heron.editor.features.chat.conversation import UNTITLED, Conversation, Turn, title_of
from heron.editor.features.chat.steps import Emit, Means
from heron.editor.features.chat.store import ChatStore
from heron.editor.features.chat.turn import TurnAsk, TurnRun
from heron.editor.features.chat.warming import ChatWarming
from heron.editor.tools.tool import Scene
from heron.errors import InvalidRequest

MAX_TITLE_CHARS = 200
MAX_QUESTION_CHARS = 200_000


@dataclass(slots=True)
class _Open:
    """A conversation in memory; `running` while a turn is."""

    conversation: Conversation
    running: bool = False


class Chat:
    """The conversations of one editor and workspace. `means` and `scene` are asked for at each turn."""

    def __init__(self, store: ChatStore, means: Callable[[], Means], scene: Callable[[], Awaitable[Scene]]) -> None:
        self._store = store
        self._means = means
        self._scene = scene
        self._warming = ChatWarming(means, scene)
        self._open: dict[str, _Open] = {}

    def create(self, title: str = "") -> Conversation:
        """Begin a conversation; it is kept once it has a turn. Without a title the first question gives one."""
        now = time.time()
        conversation = Conversation(uuid.uuid4().hex, _check_title(title) if title else UNTITLED, now, now)
        self._open[conversation.id] = _Open(conversation)
        return conversation

    def resume(self, conversation_id: str) -> Conversation:
        """A conversation with its turns, from memory or from the store."""
        return self._find(conversation_id).conversation

    def latest(self, limit: int) -> tuple[Conversation, ...]:
        """The kept conversations of the workspace, the latest first, without their turns."""
        return self._store.latest(limit)

    def rename(self, conversation_id: str, title: str) -> None:
        found = self._find(conversation_id)
        found.conversation = replace(found.conversation, title=_check_title(title))
        self._store.rename(conversation_id, title)

    def leave(self, conversation_id: str) -> None:
        """Forget a conversation in memory; what is kept stays."""
        if self._find(conversation_id).running:
            raise _busy(conversation_id)
        del self._open[conversation_id]

    def delete(self, conversation_id: str) -> None:
        """Forget a conversation for good."""
        self.leave(conversation_id)
        self._store.delete(conversation_id)

    def check(self, conversation_id: str, ask: TurnAsk) -> None:
        """Raise the InvalidRequest that `take_turn` would: no such conversation, one that is busy, a bad question."""
        if self._find(conversation_id).running:
            raise _busy(conversation_id)
        _check_question(ask.text)

    def warm(self, conversation_id: str, ask: TurnAsk) -> None:
        """Have the model read what a question will be asked with, in the background; its text may be unfinished."""
        found = self._find(conversation_id)
        if not found.running:
            self._warming.start(found.conversation.turns, ask)

    async def take_turn(self, conversation_id: str, ask: TurnAsk, emit: Emit) -> Turn:
        """Answer a question. Whatever ends it, the turn is kept as far as it came, and marked.

        Raises InvalidRequest for a wrong question, the HeronError that made the model fail, and passes a cancellation
        on.
        """
        self.check(conversation_id, ask)
        self._warming.stop()
        found = self._find(conversation_id)
        run = TurnRun(self._means(), self._scene, emit)
        found.running = True
        try:
            return await run.answer(found.conversation.turns, ask, lambda turn: self._keep(found, turn))
        finally:
            found.running = False

    def close(self) -> None:
        self._warming.stop()
        self._store.close()

    def _find(self, conversation_id: str) -> _Open:
        if conversation_id not in self._open:
            kept = self._store.load(conversation_id)
            if kept is None:
                raise InvalidRequest(f"There is no conversation {conversation_id[:80]!r}.", param="conversationId")
            self._open[conversation_id] = _Open(kept)
        return self._open[conversation_id]

    def _keep(self, found: _Open, turn: Turn) -> None:
        """Put a turn, new or changed, in its place in memory and in the store."""
        conversation = found.conversation
        earlier = tuple(kept for kept in conversation.turns if kept.id != turn.id)
        turns = (*earlier, turn)
        title = title_of(turn.question) if conversation.title == UNTITLED else conversation.title
        found.conversation = replace(conversation, turns=turns, title=title, updated_at=time.time())
        if len(turns) == 1 and turn.state == "running" and not turn.messages:
            self._store.add(found.conversation)
        self._store.save_turn(conversation.id, len(turns) - 1, turn)


def _check_title(title: str) -> str:
    if not title.strip() or len(title) > MAX_TITLE_CHARS:
        raise InvalidRequest(f"A title has 1 to {MAX_TITLE_CHARS} characters.", param="title")
    return title


def _check_question(text: str) -> None:
    if not text.strip() or len(text) > MAX_QUESTION_CHARS:
        raise InvalidRequest(f"A message has 1 to {MAX_QUESTION_CHARS} characters.", param="message")


def _busy(conversation_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"A turn of the conversation {conversation_id!r} is running.",
        param="conversationId",
        hint="Wait for its end or cancel it.",
    )
