"""The shape of attention and of its paged cache. Plain data, no TVM.

A page holds 16 tokens. For one head its keys lie d-major (`[head_size][16]`, so that one vector is one dimension of
many keys), its values token-major (`[16][head_size]`), as float32, float16 or int8. In int8 the scales follow, one for
each 32 dimensions of a token, as the upper half of a float32: `[groups][16]` behind keys, `[16][groups]` behind values.
"""

import math
from dataclasses import dataclass

import numpy as np

PAGE_SIZE = 16
"""Tokens a page of the KV cache holds."""
MAX_BATCH_TOKENS = 512
"""Most tokens of a batch, and rows of logits: the memory of a step is planned for so many."""

SEGMENT_KEYS = 256
"""Keys whose sums are formed on their own and then merged, whoever forms them: the work can be cut here."""

SCALED_DIMENSIONS = 32
"""Dimensions of a cached key or value in int8 that share a scale."""

_BLOCK_FLOATS = 4096  # keys of a block x head size: keys and values of a block, as float32, fit the first-level caches
_LEAST_BLOCK_KEYS = 32  # fewer would leave the products of large heads too short to pay for their sums
_TILE_ROWS = 64  # query rows (tokens x heads of a group) that share a block


@dataclass(frozen=True, slots=True)
class AttentionShape:
    """What the attention kernels of a model are specialised for. `lanes` is the number of float32 in a vector."""

    num_heads: int
    num_kv_heads: int
    head_size: int
    lanes: int
    cache_dtype: str
    query_scale: float = 0.0
    """what queries are multiplied by; 0 is 1 / sqrt(head_size)"""
    softcap: float = 0.0
    """scores s become softcap * tanh(s / softcap); 0 leaves them"""
    has_windows: bool = False
    """whether the kernel is told how many tokens a layer attends to"""
    norm_epsilon: float = 0.0
    """above 0, queries and keys are RMS-normalised head by head before they are rotated"""
    restores_bias: bool = False
    """whether keys are cached without their projection's bias, which attention adds again; see `key_bias`"""

    @property
    def scale(self) -> float:
        """What queries are multiplied by."""
        return self.query_scale or 1 / math.sqrt(self.head_size)

    @property
    def group(self) -> int:
        """Query heads that share a key head."""
        return self.num_heads // self.num_kv_heads

    @property
    def tile_tokens(self) -> int:
        """Most tokens of a tile."""
        return max(1, _TILE_ROWS // self.group)

    @property
    def block_keys(self) -> int:
        """Keys whose scores are formed before the running maximum is brought up to date."""
        return max(_LEAST_BLOCK_KEYS, 1 << (_BLOCK_FLOATS // self.head_size).bit_length() - 1)

    @property
    def value_vectors(self) -> int:
        """Vectors of a value whose sums are held in registers at once."""
        vectors = self.head_size // self.lanes
        return max(count for count in (1, 2, 3, 4) if vectors % count == 0 and count <= self.register_vectors)

    @property
    def rotation_lanes(self) -> int:
        """Lanes of the vectors that RoPE works on: they must fit half a head."""
        return math.gcd(self.lanes, self.head_size // 2)

    @property
    def register_rows(self) -> int:
        """Query rows whose sums are held in registers at once: those of one token, if that is neither few nor many."""
        if self.lanes == 16:
            return self.group if 4 < self.group < 8 else 4
        return 3

    @property
    def register_vectors(self) -> int:
        """Vectors of sums of each of these rows, in 32 registers or (narrow vectors) 16, beside what is multiplied."""
        return 2 if self.register_rows == 7 else 4

    @property
    def rows(self) -> int:
        """Rows of a tile, rounded up to whole register tiles."""
        return -(-self.tile_tokens * self.group // self.register_rows) * self.register_rows

    @property
    def is_scaled(self) -> bool:
        """Whether cached keys and values are int8 with scales."""
        return self.cache_dtype == "int8"

    @property
    def scale_groups(self) -> int:
        """Scales of a token's key or value of one head, where they are scaled."""
        return -(-self.head_size // SCALED_DIMENSIONS)

    @property
    def page_items(self) -> int:
        """Items of `cache_dtype` that the keys, or the values, of one head take in a page."""
        scale_bytes = 2 * self.scale_groups if self.is_scaled else 0
        return PAGE_SIZE * (self.head_size + scale_bytes)

    @property
    def page_bytes(self) -> int:
        """Bytes of these."""
        return self.page_items * np.dtype(self.cache_dtype).itemsize

    @property
    def state_width(self) -> int:
        """float32 numbers that tell what a row has seen of some keys: sums, then total and maximum in every lane."""
        return self.head_size + 2 * self.lanes
