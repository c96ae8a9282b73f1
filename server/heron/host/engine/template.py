"""Prompts to token ids, by the model's own templates: fill-in-the-middle marks and the GGUF's chat template."""

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.chat_template import render_chat
from heron.host.engine.special_tokens import FimTokens
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import ChatPrompt, FimPrompt, Prompt, TextPrompt, TokenPrompt

_SUFFIX_SHARE = 4
"""the suffix gets at most one part in so many of the window: what stands before the cursor says more"""
_LINE_STEP = 32
"""a cut prefix loses whole steps of lines, so that its start, and with it the cached prefix, stays while one types"""
_LONGEST_TOKEN_CHARS = 12
"""text kept per token before counting; code has 3 to 5 a token, only runs of blanks have more"""


def render(prompt: Prompt, tokenizer: Tokenizer, max_prompt_tokens: int) -> list[int]:
    """Token ids of a prompt, at most `max_prompt_tokens`.

    A FIM prompt is cut to fit, at line borders, keeping what is nearest to the cursor; any other that is too long
    raises PromptTooLong. InvalidRequest for ids outside the vocabulary and messages the chat template refuses.
    """
    if isinstance(prompt, FimPrompt):
        return _render_fim(prompt, tokenizer, max_prompt_tokens)
    ids = _render_whole(prompt, tokenizer)
    if len(ids) > max_prompt_tokens:
        raise PromptTooLong(
            f"The prompt is {len(ids)} tokens long and the model's window leaves room for {max_prompt_tokens}."
        )
    if not ids:
        raise InvalidRequest("The prompt is empty.", param="prompt")
    return ids


def _render_whole(prompt: TextPrompt | TokenPrompt | ChatPrompt, tokenizer: Tokenizer) -> list[int]:
    if isinstance(prompt, TokenPrompt):
        return _check_ids(prompt, tokenizer)
    if isinstance(prompt, ChatPrompt):
        return render_chat(prompt.messages, tokenizer)
    return _with_bos(tokenizer.encode(prompt.text, prompt.parse_special), tokenizer)


def _check_ids(prompt: TokenPrompt, tokenizer: Tokenizer) -> list[int]:
    for token_id in prompt.token_ids:
        if not 0 <= token_id < tokenizer.vocab_size:
            allowed = f"0 to {tokenizer.vocab_size - 1}"
            raise InvalidRequest(f"Token id {token_id} is outside the vocabulary, {allowed}.", param="prompt")
    return list(prompt.token_ids)


def _with_bos(ids: list[int], tokenizer: Tokenizer) -> list[int]:
    return ids if tokenizer.bos_id is None else [tokenizer.bos_id, *ids]


def _render_fim(prompt: FimPrompt, tokenizer: Tokenizer, max_prompt_tokens: int) -> list[int]:
    marks = tokenizer.fim
    num_marks = (3 if marks else 0) + (tokenizer.bos_id is not None)
    room = max_prompt_tokens - num_marks
    if room < 1:
        raise PromptTooLong(f"A FIM prompt takes {num_marks + 1} tokens and the window leaves {max_prompt_tokens}.")
    if marks is None:
        ids = cut_prefix(prompt.prefix, tokenizer, room)
        if not ids and tokenizer.bos_id is None:
            raise InvalidRequest("The prompt is empty, and the model has no fill-in-the-middle tokens.", param="prompt")
        return _with_bos(ids, tokenizer)
    suffix = cut_suffix(prompt.suffix, tokenizer, room // _SUFFIX_SHARE)
    prefix = cut_prefix(prompt.prefix, tokenizer, room - len(suffix))
    return _with_bos(_join_fim(marks, prefix, suffix), tokenizer)


def _join_fim(marks: FimTokens, prefix: list[int], suffix: list[int]) -> list[int]:
    """Prefix, suffix, middle: the order in which typing only changes the end of the part before the suffix."""
    return [marks.prefix, *prefix, marks.suffix, *suffix, marks.middle]


def cut_prefix(text: str, tokenizer: Tokenizer, max_tokens: int) -> list[int]:
    """Token ids of the end of a text: from a line's beginning, or of a part of its last line if that is too long."""
    begin = max(0, len(text) - max_tokens * _LONGEST_TOKEN_CHARS)
    ids, starts = tokenizer.encode_with_offsets(text[begin:])
    while len(ids) > max_tokens:
        begin = _next_border(text, begin + max(1, starts[len(ids) - max_tokens]))
        ids, starts = tokenizer.encode_with_offsets(text[begin:])
    return ids


def cut_suffix(text: str, tokenizer: Tokenizer, max_tokens: int) -> list[int]:
    """Token ids of the beginning of a text: whole lines, or a part of its first line if that is too long."""
    text = text[: max_tokens * _LONGEST_TOKEN_CHARS]
    ids, starts = tokenizer.encode_with_offsets(text)
    while len(ids) > max_tokens:
        cut = starts[max_tokens]
        line_end = text.rfind("\n", 0, cut)
        text = text[: line_end + 1] if line_end > 0 else text[: min(cut, len(text) - 1)]
        ids, starts = tokenizer.encode_with_offsets(text)
    return ids


def _next_border(text: str, cut: int) -> int:
    """Where the text may begin at or after `cut`: a step of lines on, else the next line, else right there."""
    last_line = text.rfind("\n", 0, -1) + 1
    if cut > last_line:
        return cut
    next_line = text.find("\n", cut - 1) + 1
    beyond = -text.count("\n", 0, next_line) % _LINE_STEP
    return _skip_lines(text, next_line, beyond, (next_line + len(text)) // 2)


def _skip_lines(text: str, start: int, num_lines: int, limit: int) -> int:
    """The start of the line `num_lines` after the one at `start`, or `start` itself if that lies past `limit`."""
    moved = start
    for _ in range(num_lines):
        end = text.find("\n", moved) + 1
        if end == 0 or end > limit:
            return start
        moved = end
    return moved
