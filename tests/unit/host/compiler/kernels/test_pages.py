import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heron.host.compiler.kernels.pages import AttentionShape, choose_tile_tokens, plan_tiles

lengths_and_pasts = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 500)), min_size=1, max_size=6)


@given(sequences=lengths_and_pasts, tile_tokens=st.integers(1, 20))
def test_tiles_cover_every_token_once_within_its_sequence(sequences: list[tuple[int, int]], tile_tokens: int) -> None:
    starts = np.cumsum([0] + [length for length, _ in sequences]).astype(np.int32)
    positions = np.concatenate([np.arange(past, past + length) for length, past in sequences]).astype(np.int32)
    covered: list[int] = []
    for first, tokens, sequence, keys in plan_tiles(starts, positions, tile_tokens).tolist():
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


def test_rows_fill_whole_register_tiles() -> None:
    for heads, kv_heads, lanes in ((14, 2, 16), (9, 3, 8), (12, 2, 4), (40, 1, 16), (100, 1, 8)):
        shape = AttentionShape(heads, kv_heads, 64, lanes, "float16")
        assert shape.rows % shape.register_rows == 0
        assert shape.rows >= shape.tile_tokens * shape.group


def test_tiles_shrink_until_every_thread_has_one() -> None:
    shape = AttentionShape(14, 2, 64, 16, "float16")
    assert choose_tile_tokens(shape, 512, 2) == shape.tile_tokens
    assert choose_tile_tokens(shape, 5, 2) == 5
    assert choose_tile_tokens(shape, 5, 8) == 1
    assert choose_tile_tokens(shape, 1, 64) == 1
