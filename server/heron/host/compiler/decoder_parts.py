"""The parts of a decoder layer beside its linears: norms, attention, and what follows an output linear."""

from dataclasses import dataclass, replace
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import op
from tvm.tirx import IntImm

from heron.host.compiler.decoder_plan import DecoderPlan
from heron.host.compiler.kernels.activation import Kind, Recipe
from heron.host.compiler.kernels.attention import attention
from heron.host.compiler.kernels.residual import RowShape, add_vector, cap_rows, normalize_and_add
from heron.host.compiler.kernels.rope import rotate_and_append
from heron.host.compiler.layers import Activation, quantize_activation
from heron.host.compiler.traits import Traits

Tensor = Any

_UNLIMITED = 1 << 30  # a window that sees everything


@dataclass(frozen=True, slots=True)
class Cache:
    """What attention reads beside the queries: the batch's places, and the pools of all layers."""

    rotation: Tensor
    positions: Tensor
    slots: Tensor
    tiles: Tensor
    page_table: Tensor
    partials: Tensor
    keys: Tensor
    values: Tensor
    turns: tuple[Tensor, ...] = ()
    """of `key_bias.KeyBias`, where keys are cached without their bias"""


@dataclass(frozen=True, slots=True)
class Projected:
    """Queries, keys and values float32 [n, …] of a layer, and what rotation and attention take beside them."""

    qkv: Tensor
    gains: tuple[Tensor, ...]
    """of the norms of queries and keys, where the family has them"""
    bias: tuple[Tensor, ...]
    """of the projection, where keys are cached without it"""


class Norm(nn.Module):  # type: ignore[misc]
    """The norm before a linear, fused with the quantisation of what it gives."""

    def __init__(self, plan: DecoderPlan) -> None:
        width = plan.config.hidden
        self.plan = plan
        self.gain = nn.Parameter((width,), "float32")
        if plan.config.traits.norm == "layer":
            self.bias = nn.Parameter((width,), "float32")

    def forward(self, x: Tensor, factor: float = 1.0) -> Activation:
        """Rows float32 [n, hidden], normalised, times `factor`, quantised."""
        config = self.plan.config
        vectors = [self.gain, self.bias] if config.traits.norm == "layer" else [self.gain]
        return quantize_activation(self.plan.kernels, x, Recipe(config.traits.norm, config.epsilon, factor), vectors)


def activate(plan: DecoderPlan, gate_up: Tensor) -> Activation:
    """What the feed-forward's activation makes of gate and up, quantised for the down projection."""
    traits = plan.config.traits
    recipe = Recipe(_activation_kind(traits), factor=traits.residual_scale)
    return quantize_activation(plan.kernels, gate_up, recipe)


def attend(plan: DecoderPlan, given: Projected, cache: Cache, index: int) -> tuple[Activation, Cache]:
    """Rotate and append layer `index`'s keys and values, then attend: quantised [n, width], and the cache."""
    shape, traits = plan.attention, plan.config.traits
    rows = given.qkv.shape[0]
    fixed = rows if isinstance(rows, int) else None
    layer, place = _integer(index), nn.Tensor.placeholder
    queries = place((rows, shape.num_heads * shape.head_size), "float32")
    pools = [place(pool.shape, shape.cache_dtype) for pool in (cache.keys, cache.values)]
    table = _integer(traits.tables.index(traits.rotations[index]))
    q, keys, values = op.tensor_ir_inplace_op(
        rotate_and_append(shape, fixed),
        "rotate_and_append",
        [given.qkv, cache.rotation, cache.slots, cache.keys, cache.values, *given.gains, *given.bias, layer, table],
        [-1, 3, 4],
        [queries, *pools],
    )
    biases = [*given.bias, *cache.turns] if shape.restores_bias else []
    places = [cache.positions, cache.tiles, cache.page_table, cache.partials, *biases, layer]
    places += [table] if shape.restores_bias else []
    window = [_integer(traits.windows[index] or _UNLIMITED)] if shape.has_windows else []
    attended = op.tensor_ir_op(attention(shape, fixed), "attention", [q, keys, values, *places, *window], queries)
    quantized = quantize_activation(plan.kernels, attended, Recipe(factor=traits.residual_scale))
    return quantized, replace(cache, keys=keys, values=values)


def add_normalized(plan: DecoderPlan, added: Tensor, residual: Tensor, gain: Tensor) -> Tensor:
    """residual + RMSNorm(added) * gain."""
    function = normalize_and_add(_rows(plan, residual), plan.config.epsilon)
    return op.tensor_ir_op(function, "normalize_and_add", [added, residual, gain], _like(residual))


def add_bias(plan: DecoderPlan, values: Tensor, bias: Tensor) -> Tensor:
    """The bias added to each row."""
    return op.tensor_ir_op(add_vector(_rows(plan, values)), "add_vector", [values, bias], _like(values))


def cap_logits(plan: DecoderPlan, logits: Tensor, into: Tensor) -> Tensor:
    """The logits soft-capped, written to `into`."""
    function = cap_rows(_rows(plan, logits), plan.config.traits.logit_softcap)
    return op.tensor_ir_inplace_op(function, "cap_rows", [logits, into], 1, _like(logits))


def _activation_kind(traits: Traits) -> Kind:
    if traits.is_gated:
        return "silu_gate" if traits.activation == "silu" else "gelu_gate"
    return "gelu"


def _integer(value: int) -> Any:
    return IntImm("int64", value)


def _rows(plan: DecoderPlan, values: Tensor) -> RowShape:
    rows, width = values.shape
    return RowShape(width, plan.attention.lanes, isinstance(rows, int))


def _like(values: Tensor) -> Any:
    return nn.Tensor.placeholder(values.shape, "float32")
