"""How much of a conversation the model is shown: whole turns, the oldest left out first."""

from collections.abc import Callable, Sequence

from heron.editor.features.chat.conversation import Turn, history_of
from heron.wire import Message

_MESSAGE_TOKENS = 6
"""What a template puts around a message, about."""

CountTokens = Callable[[str], int]


def count_messages(messages: Sequence[Message], count: CountTokens) -> int:
    """About how many tokens messages are, with their calls."""
    texts = [text for message in messages for text in _texts(message)]
    return sum(count(text) + _MESSAGE_TOKENS for text in texts)


def first_shown(turns: Sequence[Turn], budget_tokens: int, count: CountTokens) -> int:
    """The number of the first turn that is shown.

    When they no longer fit, half of the budget is given free at once: the turns that are left, and with them the
    prompt's beginning that is in the KV cache, then stay for some turns. Computed from the first turn on, it comes to
    the same also after a restart.
    """
    sizes = [count_messages(history_of(turn), count) for turn in turns]
    first, total = 0, 0
    for number, size in enumerate(sizes):
        total += size
        if total > budget_tokens:
            while first <= number and total > budget_tokens // 2:
                total -= sizes[first]
                first += 1
    return first


def messages_of(turns: Sequence[Turn]) -> tuple[Message, ...]:
    return tuple(message for turn in turns for message in history_of(turn))


def _texts(message: Message) -> list[str]:
    return [message.content, *(call.name + call.arguments for call in message.tool_calls)]
