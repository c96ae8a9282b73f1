"""Prompts longer than the window, cut so that their beginning and their end remain.

Of a text that is a quarter of the room from its beginning and the rest from its end. A conversation loses whole turns:
the system messages stay, and the last turns, from a user's message on, so that no answer of a tool is without its call.
"""

from collections.abc import Callable
from dataclasses import replace

from heron.wire import ChatPrompt

_HEAD_SHARE = 4


def slide_tokens(token_ids: list[int], max_tokens: int) -> list[int]:
    """The tokens themselves, or, of more than `max_tokens`, the first quarter of so many and the last ones."""
    if len(token_ids) <= max_tokens:
        return token_ids
    head = max_tokens // _HEAD_SHARE
    return token_ids[:head] + token_ids[len(token_ids) - (max_tokens - head) :]


def slide_chat(prompt: ChatPrompt, render: Callable[[ChatPrompt], list[int]], max_tokens: int) -> list[int]:
    """Token ids of the system messages and of as many last turns as fit; of the last alone if even that does not."""
    messages = prompt.messages
    lead = next((index for index, message in enumerate(messages) if message.role != "system"), len(messages))
    starts = [index for index in range(lead, len(messages)) if messages[index].role == "user"] or [lead]

    def rendered(turn: int) -> list[int]:
        return render(replace(prompt, messages=messages[:lead] + messages[starts[turn] :]))

    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(rendered(middle)) <= max_tokens else (middle + 1, high)
    return rendered(low)
