"""What a model takes of a card's memory, told from its file before anything is loaded."""

from dataclasses import dataclass

import numpy as np

from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.gpu.model import count_weight_bytes, plan_kernels
from heron.host.compiler.gpu.program import count_buffer_bytes
from heron.host.compiler.kernels.pages import PAGE_SIZE
from heron.host.models.gguf import GgufFile

_CONTEXT_BYTES = 400_000_000
"""An allowance for CUDA's context, the kernels' code and the captured graphs; not measured."""


@dataclass(frozen=True, slots=True)
class CardNeed:
    """`fixed_bytes` are weights, buffers and what CUDA takes; each page of KV cache comes on top."""

    fixed_bytes: int
    page_bytes: int


def card_need(file: GgufFile, config: ModelConfig) -> CardNeed:
    """What the model takes; UnsupportedModel if the card's kernels do not run it."""
    plan = plan_kernels(file, config)
    half = np.dtype("float16").itemsize
    page = 2 * config.num_layers * config.num_kv_heads * PAGE_SIZE * config.head_size * half
    rotation = config.context_length * config.head_size * np.dtype("float32").itemsize
    fixed = count_weight_bytes(file, config) + count_buffer_bytes(plan) + rotation + _CONTEXT_BYTES
    return CardNeed(fixed, page)
