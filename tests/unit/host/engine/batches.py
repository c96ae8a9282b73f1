"""Batches for a runner, written by hand: whose tokens, from which position, in which pages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heron.host.engine.runner import Batch

PAGE = 16


@dataclass(frozen=True)
class Part:
    """New tokens of one sequence that begin at `position`; `pages` hold the whole sequence in order."""

    token_ids: Sequence[int]
    pages: Sequence[int]
    position: int = 0


def make_batch(*parts: Part, rows: Sequence[int] | None = None, page: int = PAGE) -> Batch:
    """A batch of these parts, with the logits of `rows`, or of every token; `page` tokens a page."""
    lengths = [len(part.token_ids) for part in parts]
    positions = [np.arange(part.position, part.position + len(part.token_ids)) for part in parts]
    slots = [
        np.array(part.pages)[place // page] * page + place % page for part, place in zip(parts, positions, strict=True)
    ]
    table = np.zeros((len(parts), max(len(part.pages) for part in parts)), np.int32)
    for row, part in enumerate(parts):
        table[row, : len(part.pages)] = part.pages
    return Batch(
        token_ids=np.concatenate([np.array(part.token_ids, np.int32) for part in parts]),
        positions=np.concatenate(positions).astype(np.int32),
        slots=np.concatenate(slots).astype(np.int32),
        query_starts=np.cumsum([0, *lengths]).astype(np.int32),
        page_table=table,
        logit_rows=np.array(range(sum(lengths)) if rows is None else rows, np.int32),
    )


def contiguous_batch(parts: Sequence[tuple[int, int, int]], token_ids: npt.NDArray[np.int32]) -> Batch:
    """Parts (sequence, first position, tokens), sequence s on pages 16 s, …; logits of every token."""
    width = max(-(-(first + count) // PAGE) for _, first, count in parts)
    pages = [range(PAGE * sequence, PAGE * sequence + width) for sequence, _, _ in parts]
    new = [token_ids[sequence, first : first + count].tolist() for sequence, first, count in parts]
    return make_batch(*(Part(ids, own, part[1]) for ids, own, part in zip(new, pages, parts, strict=True)))
