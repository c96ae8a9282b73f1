"""A GGUF's chat template, run in a sandbox, so that what users write can never act as a special token.

Before rendering, every message gets a separator character wherever a special token could be read in it or across
its ends; the rendered text is split at the special tokens that remain, all of them the template's, and the separators
are taken out of the pieces between.
"""

import datetime
import json
from collections.abc import Sequence
from typing import Any

from heron.errors import InvalidRequest
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import Message

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""for a vocabulary that has its marks and a GGUF that brings no template"""


def render_chat(messages: Sequence[Message], tokenizer: Tokenizer) -> list[int]:
    """Token ids of a conversation up to where the assistant's answer begins.

    Raises InvalidRequest when there is no message, the model has no chat template, or the template refuses them.
    """
    if not messages:
        raise InvalidRequest("A chat needs at least one message.", param="messages")
    separator = _unused_character(messages)
    shield = _Shield(tokenizer, separator)
    turns = [{"role": message.role, "content": shield.apply(message.content)} for message in messages]
    template = find_template(tokenizer)
    if template is None:
        raise InvalidRequest("This model has no chat template; ask it for completions instead.", param="messages")
    text = _run_template(template, turns, tokenizer)
    return _encode_pieces(text, separator, tokenizer)


def find_template(tokenizer: Tokenizer) -> str | None:
    """The model's own template, or the common one if it has its marks; None for a model that takes no conversations."""
    if tokenizer.chat_template:
        return tokenizer.chat_template
    return _CHATML if {"<|im_start|>", "<|im_end|>"} <= set(tokenizer.special_texts) else None


def _unused_character(messages: Sequence[Message]) -> str:
    """A private-use character that no message contains."""
    used = set().union(*(set(message.content) for message in messages))
    return next(char for char in map(chr, range(0xF0000, 0xFFFFE)) if char not in used)


class _Shield:
    """Puts a separator into a text wherever a special token stands in it, or could reach into it from outside."""

    def __init__(self, tokenizer: Tokenizer, separator: str) -> None:
        self._tokenizer = tokenizer
        self._separator = separator
        self._special = tuple(tokenizer.special_texts)
        self._longest = max(map(len, self._special), default=0)
        self._starts = {text[:end] for text in self._special for end in range(1, len(text))}
        self._ends = {text[start:] for text in self._special for start in range(1, len(text))}

    def apply(self, text: str) -> str:
        text = self._break_whole(text)
        lengths = range(1, min(self._longest, len(text) + 1))
        if any(text[-length:] in self._starts for length in lengths):
            text += self._separator
        within = 0 < len(text) < self._longest and any(text in special for special in self._special)
        if within or any(text[:length] in self._ends for length in lengths):
            text = self._separator + text
        return text

    def _break_whole(self, text: str) -> str:
        """The text with each special token in it broken after its first letter; again for those that overlapped."""
        pieces = self._tokenizer.split_special(text)
        while any(token_id is not None for _, token_id in pieces):
            text = "".join(piece if token_id is None else self._break(piece) for piece, token_id in pieces)
            pieces = self._tokenizer.split_special(text)
        return text

    def _break(self, special: str) -> str:
        # A token of one letter cannot be broken, and is left out.
        return f"{special[0]}{self._separator}{special[1:]}" if len(special) > 1 else self._separator


def _encode_pieces(text: str, separator: str, tokenizer: Tokenizer) -> list[int]:
    ids: list[int] = []
    for piece, token_id in tokenizer.split_special(text):
        ids.extend((token_id,) if token_id is not None else tokenizer.encode(piece.replace(separator, "")))
    return ids


def _run_template(source: str, turns: list[dict[str, str]], tokenizer: Tokenizer) -> str:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals.update(raise_exception=_refuse, strftime_now=_strftime_now)
    names = {
        "bos_token": tokenizer.token_name(tokenizer.bos_id),
        "eos_token": tokenizer.token_name(tokenizer.config.eos_id),
    }
    try:
        return environment.from_string(source).render(messages=turns, add_generation_prompt=True, **names)
    except InvalidRequest:
        raise
    except Exception as error:  # a template is foreign code: whatever it raises is about these messages
        raise InvalidRequest(
            f"The model's chat template does not take these messages: {error}.", param="messages"
        ) from error


def _refuse(message: str) -> None:
    raise InvalidRequest(f"The model's chat template refuses these messages: {message}", param="messages")


def _strftime_now(form: str) -> str:
    return datetime.datetime.now().astimezone().strftime(form)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
