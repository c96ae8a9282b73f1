"""All that shapes a decoder's CUDA library. Plain data, no TVM."""

from dataclasses import dataclass

from heron.host.compiler.gpu.formats import GroupFormat
from heron.host.compiler.gpu.shapes import DecoderShape, LinearShape


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """All that shapes the compiled code: equal plans give equal libraries."""

    decoder: DecoderShape
    embedding: GroupFormat
    vocab_rows: int
    """Rows of the packed embedding"""
    linears: frozenset[LinearShape]
    output_rows: int
    """Logits of a row, padded"""
