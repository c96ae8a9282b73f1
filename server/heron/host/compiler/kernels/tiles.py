"""How a batch's attention is cut into tiles of work. Plain data, no TVM.

A tile is six int32: first token, tokens, sequence, keys, first key, and where its rows' partial results go. It covers
the keys from its first (a multiple of `SEGMENT_KEYS`) up to `keys`. A tile that covers all of its tokens' keys writes
what they give (-1); else it leaves a partial result of each segment, and they are merged in the order of the keys. How
a batch is cut does not change a bit of what comes out.
"""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from heron.host.compiler.kernels.pages import SEGMENT_KEYS, AttentionShape

Tiles = npt.NDArray[np.int32]

TILE_WORDS = 6
_FEW_TASKS = 4
"""With more tasks than so many a thread, an uneven deal costs less than merging."""


def cut_batch(shape: AttentionShape, starts: Tiles, positions: Tiles, threads: int) -> Tiles:
    """Tiles int32 [t, 6] of a batch; `starts` [b + 1] and `positions` [n] as in `runner.Batch`."""
    if len(positions) == 1:  # planned without a detour: between steps nothing is in the caches
        tiles = np.array([[0, 1, 0, positions[0] + 1, 0, -1]], dtype=np.int32)
    else:
        tiles = plan_tiles(starts, positions, choose_tile_tokens(shape, len(positions), threads))
    return split_tiles(shape, tiles, threads)


def choose_tile_tokens(shape: AttentionShape, num_tokens: int, threads: int) -> int:
    """Tokens a tile of a batch of `num_tokens`: as many as may be, but few enough that every thread has a task."""
    return max(1, min(shape.tile_tokens, num_tokens * shape.num_kv_heads // threads))


def plan_tiles(query_starts: npt.NDArray[np.int32], positions: npt.NDArray[np.int32], tile_tokens: int) -> Tiles:
    """Tiles int32 [t, 6] of a batch that cover all keys, in an order that balances static shares.

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
    return np.array([(*tile, 0, -1) for tile in order], dtype=np.int32).reshape(-1, TILE_WORDS)


def split_tiles(shape: AttentionShape, tiles: Tiles, threads: int) -> Tiles:
    """The tiles, or pieces of them along the keys where the tasks are too few to be dealt evenly to the threads."""
    tasks = len(tiles) * shape.num_kv_heads
    if not tasks or tasks % threads == 0 or tasks > _FEW_TASKS * threads or tiles[:, 3].max() <= SEGMENT_KEYS:
        return tiles
    most = threads // math.gcd(tasks, threads)
    pieces, row = [], 0
    for tile in tiles.tolist():
        segments = -(-tile[3] // SEGMENT_KEYS)
        pieces += _split(tile, row, np.linspace(0, segments, min(most, segments) + 1).astype(int).tolist())
        row += segments * tile[1] * shape.group
    return np.array(pieces, dtype=np.int32)


def count_partials(shape: AttentionShape, num_tokens: int, threads: int) -> int:
    """Most rows of partial results, of one key head, that a batch split for so many threads has.

    `num_tokens` is the longest context.
    """
    tokens = min(_FEW_TASKS * threads * shape.tile_tokens // shape.num_kv_heads, 512)
    return max(1, tokens * shape.group * -(-num_tokens // SEGMENT_KEYS))


def _split(tile: list[int], row: int, borders: list[int]) -> list[list[int]]:
    first, tokens, sequence, keys = tile[:4]
    spans = pairwise(borders)
    return [[first, tokens, sequence, min(keys, end * SEGMENT_KEYS), start * SEGMENT_KEYS, row] for start, end in spans]
