from heron.host.compiler.kernels.pages import AttentionShape


def test_rows_fill_whole_register_tiles() -> None:
    for heads, kv_heads, lanes in ((14, 2, 16), (9, 3, 8), (12, 2, 4), (40, 1, 16), (100, 1, 8)):
        shape = AttentionShape(heads, kv_heads, 64, lanes, "float16")
        assert shape.rows % shape.register_rows == 0
        assert shape.rows >= shape.tile_tokens * shape.group


def test_the_sums_of_a_register_tile_fit_the_registers() -> None:
    for group in range(1, 12):
        shape = AttentionShape(group, 1, 64, 16, "float16")
        assert (shape.register_rows + 1) * shape.register_vectors <= 30
