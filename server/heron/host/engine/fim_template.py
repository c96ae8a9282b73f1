"""Fill-in-the-middle prompts: which part comes where, and how much of each.

For byte-level vocabularies the line being typed comes last, as the beginning of the middle:

    <prefix> lines above <suffix> text after <middle> \\n line up to the cursor

So the KV cache keeps everything while a line is typed, and the last token can be healed (`healing.py`). It is also what
the models do best: `tests/bench/README.md` has the figures of `quality/infilling.py`.
"""

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.special_tokens import FimTokens
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import FimPrompt

_SUFFIX_SHARE = 4
"""the suffix gets at most one part in so many of the window: what stands before the cursor says more"""
_LINE_SHARE = 4
"""a line that takes more than one part in so many stays with the lines above it"""
_LINE_STEP = 32
"""a cut prefix loses whole steps of lines, so that its start, and with it the cached prefix, stays while one types"""
_LONGEST_TOKEN_CHARS = 12
"""text kept per token before counting; code has 3 to 5 a token, only runs of blanks have more"""


def render_fim(prompt: FimPrompt, tokenizer: Tokenizer, max_tokens: int) -> list[int]:
    """Token ids without the one that begins every text, at most `max_tokens`, cut at line borders to fit.

    InvalidRequest for an empty prompt to a model without marks, PromptTooLong if there is no room for a single token.
    """
    marks = tokenizer.fim
    num_marks = len(marks.ids) if marks else 0
    room = max_tokens - num_marks
    if room < 1:
        raise PromptTooLong(f"A FIM prompt takes {num_marks + 1} tokens and the window leaves {max_tokens}.")
    if marks is None:
        ids = cut_prefix(prompt.prefix, tokenizer, room)
        if not ids and tokenizer.bos_id is None:
            raise InvalidRequest("The prompt is empty, and the model has no fill-in-the-middle tokens.", param="prompt")
        return ids
    suffix = cut_suffix(prompt.suffix, tokenizer, room // _SUFFIX_SHARE)
    above, line = _part_line(prompt.prefix, marks, tokenizer, room)
    prefix = cut_prefix(above, tokenizer, room - len(suffix) - len(line))
    return [*_join(marks, prefix, suffix), *line]


def _part_line(prefix: str, marks: FimTokens, tokenizer: Tokenizer, room: int) -> tuple[str, list[int]]:
    """The text above the line being typed, and the tokens of that line with the line end before it."""
    if marks.suffix_first or marks.middle is None or tokenizer.config.kind != "byte-level":
        return prefix, []
    start = max(0, prefix.rfind("\n"))
    start -= prefix[:start].endswith("\r")
    if len(prefix) - start > room // _LINE_SHARE * _LONGEST_TOKEN_CHARS:
        return prefix, []
    line = tokenizer.encode(prefix[start:])
    return (prefix[:start], line) if len(line) <= room // _LINE_SHARE else (prefix, [])


def _join(marks: FimTokens, prefix: list[int], suffix: list[int]) -> list[int]:
    """Prefix, suffix, middle, in the order in which the model was trained."""
    parts = [[marks.prefix, *prefix], [marks.suffix, *suffix]]
    first, second = reversed(parts) if marks.suffix_first else parts
    return [*first, *second, *(() if marks.middle is None else (marks.middle,))]


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
