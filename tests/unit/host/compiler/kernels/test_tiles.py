import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heron.host.compiler.kernels.pages import SEGMENT_KEYS, AttentionShape
from heron.host.compiler.kernels.tiles import (
    choose_tile_tokens,
    count_partials,
    cut_batch,
    plan_tiles,
)

lengths_and_pasts = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 500)), min_size=1, max_size=6)


@given(sequences=lengths_and_pasts, tile_tokens=st.integers(1, 20))
def test_tiles_cover_every_token_once_within_its_sequence(sequences: list[tuple[int, int]], tile_tokens: int) -> None:
    starts = np.cumsum([0] + [length for length, _ in sequences]).astype(np.int32)
    positions = np.concatenate([np.arange(past, past + length) for length, past in sequences]).astype(np.int32)
    covered: list[int] = []
    for first, tokens, sequence, keys, *_ in plan_tiles(starts, positions, tile_tokens).tolist():
        assert 1 <= tokens <= tile_tokens
        assert starts[sequence] <= first
        assert first + tokens <= starts[sequence + 1]
        assert keys == positions[first + tokens - 1] + 1
        covered += range(first, first + tokens)
    assert sorted(covered) == list(range(len(positions)))


def test_halves_of_the_tiles_see_about_as_many_keys() -> None:
    keys = plan_tiles(np.array([0, 512], np.int32), np.arange(512, dtype=np.int32), 9)[:, 3]
    half = len(keys) // 2
    assert 0.8 < keys[:half].sum() / keys[half:].sum() < 1.25


def test_tiles_shrink_until_every_thread_has_one() -> None:
    shape = AttentionShape(14, 2, 64, 16, "float16")
    assert choose_tile_tokens(shape, 512, 2) == shape.tile_tokens
    assert choose_tile_tokens(shape, 5, 2) == 5
    assert choose_tile_tokens(shape, 5, 8) == 1
    assert choose_tile_tokens(shape, 1, 64) == 1


@given(
    sequences=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3000)), min_size=1, max_size=4),
    threads=st.integers(1, 16),
    kv_heads=st.integers(1, 4),
)
def test_pieces_cover_every_key_of_a_tile_once(sequences: list[tuple[int, int]], threads: int, kv_heads: int) -> None:
    shape = AttentionShape(kv_heads * 7, kv_heads, 64, 16, "float16")
    starts = np.cumsum([0] + [length for length, _ in sequences]).astype(np.int32)
    positions = np.concatenate([np.arange(past, past + length) for length, past in sequences]).astype(np.int32)
    keys_of: dict[int, int] = {}
    rows: set[int] = set()
    for first, tokens, _, end, start, partial in cut_batch(shape, starts, positions, threads).tolist():
        assert start == keys_of.get(first, 0)
        assert start % SEGMENT_KEYS == 0
        keys_of[first] = end
        if partial >= 0:
            size = tokens * shape.group
            mine = set(range(partial + start // SEGMENT_KEYS * size, partial + -(-end // SEGMENT_KEYS) * size))
            assert not mine & rows
            rows |= mine
        if end == positions[first + tokens - 1] + 1:
            keys_of[first] = -1
    assert set(keys_of.values()) == {-1}
    assert max(rows, default=0) < count_partials(shape, int(positions.max()) + 1, threads)


def test_a_lone_token_far_on_is_dealt_to_every_thread() -> None:
    shape = AttentionShape(14, 2, 64, 16, "float16")
    starts, position = np.array([0, 1], np.int32), np.array([4000], np.int32)
    assert [len(cut_batch(shape, starts, position, threads)) for threads in (1, 2, 3, 4, 8)] == [1, 1, 3, 2, 4]
