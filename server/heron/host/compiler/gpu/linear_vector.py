"""Linear layers for few tokens: each row of weights is read once, by one warp or two, for all tokens."""

from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import declare_quantised
from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    await_producers,
    build_kernel,
    launch,
    put,
    shared,
    synchronize,
    when,
)
from heron.host.compiler.gpu.row_products import RowProducts, Share, fetched_words
from heron.host.compiler.gpu.shapes import MAX_TOKENS, LinearShape
from heron.host.compiler.gpu.weights import declare_weights

_WARPS = 8
_LONG_ROW = 160  # groups of 32 k; two warps share a longer row, or a lane would take more than five one after another
_MANY_ROWS = 16384  # from here on a warp takes several rows: there are more than enough warps


def linear_vector(shape: LinearShape, tokens: int) -> Any:
    """PrimFunc `(codes, scales, sums, weights…, [bias,] out)`; out float32 [·, rows] is added to if residual."""
    sharing = 2 if shape.inner // 32 > _LONG_ROW else 1
    count = (4 if tokens <= 2 else 2) if shape.rows >= _MANY_ROWS else 1 if tokens <= 4 else 2
    block_rows = _WARPS // sharing * count

    def emit() -> None:
        inputs = declare_quantised(shape.inner)
        weights = declare_weights(shape.format, shape.rows, shape.inner)
        bias = argument("bias", (shape.rows,), "float32") if shape.epilogue == "bias" else None
        out = argument("out", (MAX_TOKENS, shape.rows), "float32")
        with launch([shape.rows // block_rows], _WARPS * WARP, awaits=False) as (block, thread):
            warp = T.Bind(thread // WARP)
            rows = [T.Bind(block * block_rows + warp // sharing * count + index) for index in range(count)]
            share = Share(T.Bind(thread % WARP + WARP * (warp % sharing)), WARP * sharing, shape.inner // 32)
            products = RowProducts(weights, rows, share, tokens)
            products.fetch(fetched_words(tokens))
            await_producers()
            totals = products.multiply(inputs)
            if sharing > 1:
                _add_neighbours(totals, thread, tokens)
            with when(thread % (WARP * sharing) == 0), T.unroll(0, tokens) as token:
                for row, total in zip(rows, totals, strict=True):
                    put(out, _finish(shape, total[token], (bias, out), (token, row)), token, row)

    return build_kernel(f"linear_{shape.name}_m{tokens}", emit)


def _add_neighbours(totals: list[Any], thread: Expr, tokens: int) -> None:
    """Add to a warp's totals those of the warp that shares its rows; right in the first of the two."""
    parts = shared([_WARPS, len(totals), tokens], "float32")
    warp = T.Bind(thread // WARP)
    with when(thread % WARP == 0), T.unroll(0, tokens) as token:
        for index, total in enumerate(totals):
            put(parts, total[token], warp, index, token)
    synchronize()
    other = T.Bind(T.min(warp + 1, _WARPS - 1))
    with T.unroll(0, tokens) as token:
        for index, total in enumerate(totals):
            put(total, total[token] + parts[other, index, token], token)


def _finish(shape: LinearShape, total: Expr, buffers: tuple[Any, Any], place: tuple[Expr, Expr]) -> Expr:
    bias, out = buffers
    if shape.epilogue == "bias":
        return total + bias[place[1]]
    return total + out[place] if shape.epilogue == "residual" else total
