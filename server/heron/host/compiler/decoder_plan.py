"""All that shapes a decoder's compiled code. Plain data."""

from dataclasses import dataclass

from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.kernels.formats import Segment
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.layers import KernelSet


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """Weight segments of a layer's linears, as `pack.plan_linear` gives them."""

    qkv: tuple[Segment, ...]
    attention_output: tuple[Segment, ...]
    gate_up: tuple[Segment, ...]
    down: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class DecoderPlan:
    """All that shapes the compiled code: equal plans give equal libraries."""

    config: ModelConfig
    layers: tuple[LayerPlan, ...]
    output: tuple[Segment, ...]
    kernels: KernelSet
    attention: AttentionShape
