"""How quantised activations lie in memory: `activation` writes rows of blocks, the linears read them. Numbers only.

A row is int32 words `[K / block_k][block_words]`. A block is all that a linear needs of its k, one after another, so
that a kernel reads one stream for each row:

    codes   block_k / 4 words of four int8 in [-127, 127]
    scale   float32 bits: what a code stands for
    sums    for each part of 32 k four words: the sum of its codes as float32 bits, which minima of weight formats are
            multiplied with; then for zero points the int32 sums, negated, of all its codes, its first 16 and its last
"""

from dataclasses import dataclass

PART_K = 32
SPARE_ROWS = 3
"""Rows a buffer has beyond those it holds: a row tile may reach over the end, and what it reads there is dropped."""

_SUM_WORDS = 4


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The layout of rows of `inner` values, a multiple of 32."""

    inner: int

    @property
    def block_k(self) -> int:
        """Values that share a scale. With 64 or 128 the noise would be 1.5 or 2.2 times that of 32."""
        return PART_K

    @property
    def num_blocks(self) -> int:
        return self.inner // self.block_k

    @property
    def num_parts(self) -> int:
        """Parts of 32 k in a block."""
        return self.block_k // PART_K

    @property
    def scale_word(self) -> int:
        """Where in a block the scale is."""
        return self.block_k // 4

    @property
    def sums_word(self) -> int:
        """Where in a block the sums of its first part begin."""
        return self.scale_word + 1

    @property
    def sum_words(self) -> int:
        """Words of sums a part has."""
        return _SUM_WORDS

    @property
    def block_words(self) -> int:
        return self.sums_word + _SUM_WORDS * self.num_parts

    @property
    def row_words(self) -> int:
        return self.num_blocks * self.block_words
