"""The border between policy and tensors: what the step loop asks of a compiled model."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """New tokens of one or more sequences, concatenated; `n` tokens, `b` sequences, `r` rows wanted.

    A token at position p attends to positions 0..p of its sequence, read through `page_table` after the batch's own
    keys and values were written to `slots`.
    """

    token_ids: Int32
    """[n]"""
    positions: Int32
    """[n], from 0 within each sequence"""
    slots: Int32
    """[n], page * page_size + offset in that page: where each token's keys and values are written"""
    query_starts: Int32
    """[b + 1], sequence i owns tokens query_starts[i] to query_starts[i + 1]"""
    page_table: Int32
    """[b, w], pages of each sequence in order; entries past its last page are 0 and not read"""
    logit_rows: Int32
    """[r], indices of the tokens whose logits are wanted; may be empty (prefill in mid-prompt)"""


class Runner(Protocol):
    """A compiled model and its KV pages on one device. Not thread-safe; one step loop owns it."""

    @property
    def vocab_size(self) -> int: ...

    @property
    def page_size(self) -> int:
        """Tokens a page holds."""
        ...

    @property
    def num_pages(self) -> int: ...

    @property
    def max_batch_tokens(self) -> int:
        """Most tokens one `run` takes."""
        ...

    def run(self, batch: Batch) -> Float32:
        """Logits [r, vocab_size], which the caller may change, there until the next run."""
        ...

    def copy_page(self, source: int, target: int) -> None:
        """Copy the keys and values of a whole page, all layers."""
        ...

    def close(self) -> None:
        """Free weights and pages. Idempotent."""
        ...
