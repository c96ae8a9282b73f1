"""From what a model wrote to what is offered: ordered filters, each a pure function in a file of its own.

`PREPARE` puts the text into the document's terms. `CUT` ends it: what a cut removes from a text it removes from every
longer one, so a cut also ends the stream. `MEND` judges the whole.
"""

from collections.abc import Callable
from typing import Protocol

from heron.editor.postprocess.block_end import cut_block_end
from heron.editor.postprocess.bracket_balance import (
    close_in_line,
    cut_open_bracket,
    cut_unclosed_lines,
    cut_unopened_closers,
)
from heron.editor.postprocess.dead_end import cut_dead_end
from heron.editor.postprocess.duplicates import drop_duplicate
from heron.editor.postprocess.fences import unwrap_fence
from heron.editor.postprocess.first_line import place_first_line
from heron.editor.postprocess.indentation import fit_indentation
from heron.editor.postprocess.left_open import close_left_open, cut_left_alone
from heron.editor.postprocess.levels import cut_wrong_level
from heron.editor.postprocess.line_shape import cut_after_line
from heron.editor.postprocess.loops import cut_loops
from heron.editor.postprocess.reparse import cut_to_parse, drop_breaking_line
from heron.editor.postprocess.rest_of_line import cut_rest_of_line
from heron.editor.postprocess.special_tokens import cut_special_tokens, cut_unfinished_token
from heron.editor.postprocess.string_end import cut_string_end
from heron.editor.postprocess.suffix_body import cut_past_body, end_at_opener
from heron.editor.postprocess.suffix_lines import cut_alike_lines, cut_repeated_below, cut_suffix_lines
from heron.editor.postprocess.trivial import drop_trivial
from heron.editor.postprocess.white_space import trim_white_space
from heron.editor.syntax.gap import Gap, unify_line_ends

Filter = Callable[[str, Gap], str]

PREPARE: tuple[Filter, ...] = (unwrap_fence, place_first_line, fit_indentation)
CUT_TEXT: tuple[Filter, ...] = (cut_after_line, cut_string_end, cut_unopened_closers)
CUT_LINES: tuple[Filter, ...] = (cut_block_end, cut_suffix_lines, cut_loops)
MEND: tuple[Filter, ...] = (
    trim_white_space,
    cut_unfinished_token,
    cut_rest_of_line,
    cut_alike_lines,
    cut_repeated_below,
    cut_past_body,
    cut_dead_end,
    end_at_opener,
    trim_white_space,
    cut_unclosed_lines,
    close_left_open,
    close_in_line,
    cut_open_bracket,
    cut_left_alone,
    cut_wrong_level,
    cut_to_parse,
    drop_breaking_line,
    trim_white_space,
    drop_duplicate,
    drop_trivial,
)


_BEFORE_CODE = " \t\n`~"
"""A text of these alone may become a fence, and what is in it counts."""


class Asked(Protocol):
    """What the filters need of a `Context`."""

    @property
    def gap(self) -> Gap: ...


def finish(text: str, context: Asked) -> str | None:
    """What to insert at the cursor for a model's raw text, with the document's line ends; None to stay silent."""
    gap = context.gap
    if gap.shape == "none":
        return None
    text = unify_line_ends(text)
    for apply in (cut_special_tokens, *PREPARE, *CUT_TEXT, *CUT_LINES, *MEND):
        text = apply(text, gap)
        if not text.strip():
            return None
    return text.replace("\n", gap.newline)


def is_complete(text: str, context: Asked) -> bool:
    """Whether all that a model might still write after `text` would be cut away. Cheap enough for every delta."""
    gap = context.gap
    if gap.shape == "none":
        return True
    text = unify_line_ends(text)
    if len(cut_special_tokens(text, gap)) < len(text):
        return True
    if not text.strip(_BEFORE_CODE):
        return False
    for prepare in PREPARE:
        text = prepare(text, gap)
    if any(len(cut(text, gap)) < len(text) for cut in CUT_TEXT) or _leaves_block(text, gap):
        return True
    settled = text[: text.rfind("\n") + 1].rstrip("\n")  # the last line may still become another
    return any(len(cut(settled, gap)) < len(settled) for cut in CUT_LINES)


def _leaves_block(text: str, gap: Gap) -> bool:
    """Whether the last line, though only begun, is outside the block: clear at once where no word can end a block."""
    ends_by_word = gap.language is None or gap.language.end_words
    return not ends_by_word and len(cut_block_end(text, gap)) < len(text.rstrip())
