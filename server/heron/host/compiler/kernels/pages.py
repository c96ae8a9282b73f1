"""The shape of attention and of its paged cache, and how a batch is cut into tiles of work. Plain data, no TVM."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PAGE_SIZE = 16
"""Tokens a page of the KV cache holds."""
MAX_BATCH_TOKENS = 512
"""Most tokens of a batch, and rows of logits: the memory of a step is planned for so many."""

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
        return max(count for count in (1, 2, 3, 4) if vectors % count == 0)

    @property
    def rotation_lanes(self) -> int:
        """Lanes of the vectors that RoPE works on: they must fit half a head."""
        return math.gcd(self.lanes, self.head_size // 2)

    @property
    def register_rows(self) -> int:
        """Query rows whose sums are held in registers at once, four vectors each."""
        return 4 if self.lanes == 16 else 3

    @property
    def rows(self) -> int:
        """Rows of a tile, rounded up to whole register tiles."""
        return -(-self.tile_tokens * self.group // self.register_rows) * self.register_rows


def choose_tile_tokens(shape: AttentionShape, num_tokens: int, threads: int) -> int:
    """Tokens a tile of a batch of `num_tokens`: as many as may be, but few enough that every thread has a task."""
    return max(1, min(shape.tile_tokens, num_tokens * shape.num_kv_heads // threads))


def plan_tiles(
    query_starts: npt.NDArray[np.int32], positions: npt.NDArray[np.int32], tile_tokens: int
) -> npt.NDArray[np.int32]:
    """Tiles int32 [t, 4] (first token, tokens, sequence, keys) of a batch, in an order that balances static shares.

    A parallel loop gives each thread a contiguous share, and tiles late in a prompt see more keys: light and heavy
    tiles alternate. Positions of a sequence's tokens must rise.
    """
    tiles = [
        (first, min(tile_tokens, end - first), sequence)
        for sequence, (start, end) in enumerate(zip(query_starts[:-1].tolist(), query_starts[1:].tolist(), strict=True))
        for first in range(start, end, tile_tokens)
    ]
    keyed = [(first, tokens, sequence, int(positions[first + tokens - 1]) + 1) for first, tokens, sequence in tiles]
    keyed.sort(key=lambda tile: tile[3])
    half = (len(keyed) + 1) // 2
    light, heavy = keyed[:half], keyed[half:][::-1]
    order = [tile for index, tile in enumerate(light) for tile in (tile, *heavy[index : index + 1])]
    return np.array(order, dtype=np.int32).reshape(-1, 4)
