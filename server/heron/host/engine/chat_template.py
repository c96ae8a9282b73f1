"""A GGUF's chat template, run in a sandbox, so that what users write can never act as a special token.

Before rendering, every text of a client is shielded (`shield.py`): the rendered text is split at the special tokens
that remain, all of them the template's, and the separators are taken out of the pieces between.
"""

import datetime
import json
from typing import Any

from heron.errors import InvalidRequest
from heron.host.engine.chat_view import ChatView, view_chat
from heron.host.engine.shield import Separators, Shield, unused_characters
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tool_format import find_tool_format
from heron.wire import ChatPrompt

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""for a vocabulary that has its marks and a GGUF that brings no template"""


def render_chat(prompt: ChatPrompt, tokenizer: Tokenizer) -> list[int]:
    """Token ids of a conversation up to where the assistant's answer begins, with the tools it may call.

    Raises InvalidRequest when there is no message, the model has no chat template, or the template refuses them.
    """
    if not prompt.messages:
        raise InvalidRequest("A chat needs at least one message.", param="messages")
    template = find_template(tokenizer)
    if template is None:
        raise InvalidRequest("This model has no chat template; ask it for completions instead.", param="messages")
    separators = unused_characters(prompt)
    view = view_chat(prompt, Shield(tokenizer, separators).apply, find_tool_format(template))
    return _encode_pieces(_run_template(template, view, tokenizer), separators, tokenizer)


def find_template(tokenizer: Tokenizer) -> str | None:
    """The model's own template, or the common one if it has its marks; None for a model that takes no conversations."""
    if tokenizer.chat_template:
        return tokenizer.chat_template
    return _CHATML if {"<|im_start|>", "<|im_end|>"} <= set(tokenizer.special_texts) else None


def _encode_pieces(text: str, separators: Separators, tokenizer: Tokenizer) -> list[int]:
    ids: list[int] = []
    for piece, token_id in tokenizer.split_special(text):
        if token_id is not None:
            ids.append(token_id)
            continue
        for part in piece.replace(separators.seam, "").split(separators.wall):
            ids.extend(tokenizer.encode(part))
    return ids


def _run_template(source: str, view: ChatView, tokenizer: Tokenizer) -> str:
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
        return environment.from_string(source).render(
            messages=view.messages, tools=view.tools, add_generation_prompt=True, **names
        )
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
