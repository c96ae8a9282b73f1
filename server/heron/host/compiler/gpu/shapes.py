"""What the CUDA kernels are specialised for, and where a batch's numbers lie. Plain data, no TVM."""

from dataclasses import dataclass
from typing import Literal

from heron.host.compiler.gpu.formats import GroupFormat

MAX_TOKENS = 512
"""Rows of every activation buffer: most tokens of a batch."""

VECTOR_TOKENS = (1, 2, 4, 8)
"""Numbers of tokens that `linear_vector` has a kernel for."""

MATRIX_TOKENS = 64
"""Tokens of a block of `linear_matrix`; activation buffers are read in whole blocks."""

PLACES_PAGES = 1 << 16
"""Entries for the page tables of a batch, all sequences together."""

TOKEN_IDS, POSITIONS, SLOTS, PAGE_STARTS, LOGIT_ROWS, PAGES = (index * MAX_TOKENS for index in range(6))
"""Offsets in the `places` buffer, int32: one number a token each (PAGE_STARTS: where its sequence's pages begin, from
PAGES on), then the page tables one after the other. A token that only fills up a batch has position and slot -1."""

PLACES_SIZE = PAGES + PLACES_PAGES

ATTENTION_WARPS = 4
"""Warps of an attention block; each walks its own pages."""

HEAD_SIZES = (64, 128)
"""Of attention: those the kernels were run with. A lane of a warp takes a 32nd of a head."""


@dataclass(frozen=True, slots=True)
class GpuLimits:
    """`shared_bytes` of memory a block may share; `projections` hold eight tokens' normalized inputs in it.

    They take 1.375 bytes a value (`normalize`), so `most_projected` is the largest hidden size they are used for.
    """

    shared_bytes: int
    most_projected: int


CUDA_LIMITS = GpuLimits(49152, 4096)
METAL_LIMITS = GpuLimits(32768, 2560)

Epilogue = Literal["none", "bias", "residual"]
Role = Literal["plain", "qkv", "gate_up"]
"""What a linear is in its layer: those that follow a norm have kernels for few tokens that do more (`projections`)."""


@dataclass(frozen=True, slots=True)
class LinearShape:
    """A linear: `rows` outputs (a multiple of 64), `inner` inputs (a multiple of 64)."""

    rows: int
    inner: int
    format: GroupFormat
    epilogue: Epilogue
    role: Role = "plain"

    @property
    def name(self) -> str:
        role = "" if self.role == "plain" else f"_{self.role}"
        return f"{self.rows}x{self.inner}_{self.format.name}_{self.epilogue}{role}"


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """What the kernels other than linears are specialised for."""

    hidden: int
    feed_forward: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_size: int
    epsilon: float

    @property
    def group(self) -> int:
        """Query heads that share a key head."""
        return self.num_heads // self.num_kv_heads

    @property
    def attended(self) -> int:
        return self.num_heads * self.head_size

    @property
    def qkv(self) -> int:
        return (self.num_heads + 2 * self.num_kv_heads) * self.head_size


ATTENTION_SPLITS = (16, 4, 1)
"""Blocks that may share the keys of one token."""


def attention_splits(num_tokens: int) -> int:
    """Blocks that share the keys of one token: many where there are few tokens to fill the device with."""
    if num_tokens <= 8:
        return 16
    return 4 if num_tokens <= 64 else 1


MAX_PARTIALS = MAX_TOKENS * ATTENTION_WARPS
"""Most (token, split, warp) of a batch: 8 * 16, 64 * 4 or 512 tokens times blocks, times the warps."""
