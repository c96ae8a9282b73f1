"""The shape of attention and of its paged cache, and how a batch is cut into tiles of work. Plain data, no TVM."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PAGE_SIZE = 16
"""Tokens a page of the KV cache holds."""

_BLOCK_FLOATS = 4096  # keys of a block x head size: keys and values of a block, as float32, fit the first-level caches
_TILE_ROWS = 64  # query rows (tokens x heads of a group) that share a block


@dataclass(frozen=True, slots=True)
class AttentionShape:
    """What the attention kernels of a model are specialised for. `lanes` is the number of float32 in a vector."""

    num_heads: int
    num_kv_heads: int
    head_size: int
    lanes: int
    cache_dtype: str

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
        return max(PAGE_SIZE, _BLOCK_FLOATS // self.head_size)

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
