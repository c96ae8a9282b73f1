"""Pick rows of a matrix: the tokens whose logits are wanted."""

from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.vector import load, store


def take_rows(width: int, lanes: int) -> Any:
    """PrimFunc `(matrix, rows, out)`: float32 [n, width], int32 [r], float32 [r, width]; width a multiple of lanes."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("take_rows")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        handles = [T.arg(name, T.handle()) for name in ("matrix_handle", "rows_handle", "out_handle")]
        n, r = T.int64(), T.int64()
        matrix = T.match_buffer(handles[0], (n, width), "float32")
        rows = T.match_buffer(handles[1], (r,), "int32")
        out = T.match_buffer(handles[2], (r, width), "float32")
        with T.sblock("root"):
            T.reads()
            T.writes()
            with T.serial(0, r) as index, T.serial(0, width // lanes) as part:
                store(out, load(matrix, [rows[index]], part * lanes, lanes), [index], part * lanes, lanes)
    return builder.get()
