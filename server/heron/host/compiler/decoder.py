"""The decoder as a `relax.frontend.nn` model over our kernels: what `pipeline` compiles.

Per layer: RMSNorm and quantise → query, key, value → rotate and append → attention → quantise → output and residual →
RMSNorm and quantise → gate, up → SiLU, product and quantise → down and residual. Activations are float32 [n, hidden]
between the linears and int8 with a scale for each 32 inside them.
"""

from dataclasses import dataclass, replace
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import op
from tvm.tirx import IntImm

from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.kernels.attention import attention
from heron.host.compiler.kernels.formats import Segment
from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.rope import rotate_and_append
from heron.host.compiler.kernels.rows import take_rows
from heron.host.compiler.layers import KernelSet, QuantLinear, quantize_activation

Tensor = Any


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


@dataclass(frozen=True, slots=True)
class Cache:
    """What attention reads beside the queries: the batch's places, and the pools of all layers."""

    rotation: Tensor
    positions: Tensor
    slots: Tensor
    tiles: Tensor
    page_table: Tensor
    keys: Tensor
    values: Tensor


class Decoder(nn.Module):  # type: ignore[misc]
    """Hidden states in, logits out; keys and values are written to the pools in place."""

    def __init__(self, plan: DecoderPlan) -> None:
        self.plan = plan
        self.layers = nn.ModuleList([_Layer(plan, layer) for layer in plan.layers])
        self.output_norm = nn.Parameter((plan.config.hidden,), "float32")
        self.output = QuantLinear(plan.output, plan.config.hidden, "none", plan.kernels)

    def decode(  # the inputs of the compiled function, flat as TVM wants them
        self, x: Tensor, rotation: Tensor, positions: Tensor, slots: Tensor, tiles: Tensor, page_table: Tensor,
        keys: Tensor, values: Tensor,
    ) -> Tensor:  # fmt: skip
        """Logits [1, vocab_size] of one token."""
        x = self._run_layers(x, Cache(rotation, positions, slots, tiles, page_table, keys, values))
        return self._logits(x)

    def forward(
        self, x: Tensor, rotation: Tensor, positions: Tensor, slots: Tensor, tiles: Tensor, page_table: Tensor,
        keys: Tensor, values: Tensor, logit_rows: Tensor,
    ) -> Tensor:  # fmt: skip
        """Logits [r, vocab_size] of the tokens `logit_rows` out of n."""
        x = self._run_layers(x, Cache(rotation, positions, slots, tiles, page_table, keys, values))
        hidden, lanes = self.plan.config.hidden, self.plan.attention.lanes
        picked = nn.Tensor.placeholder((logit_rows.shape[0], hidden), "float32")
        return self._logits(op.tensor_ir_op(take_rows(hidden, lanes), "take_rows", [x, logit_rows], picked))

    def _run_layers(self, x: Tensor, cache: Cache) -> Tensor:
        for index, layer in enumerate(self.layers):
            x, cache = layer(x, cache, index)
        return x

    def _logits(self, x: Tensor) -> Tensor:
        plan = self.plan
        return self.output(quantize_activation(plan.kernels, x, "rms", self.output_norm, plan.config.epsilon))

    def module_spec(self) -> Any:
        """The signatures of `decode` and `forward` for `export_tvm`; weights are one packed argument."""
        mode = {"param_mode": "packed", "effect_mode": "none"}
        forward = {**self._inputs("n"), "logit_rows": nn.spec.Tensor(["r"], "int32"), "$": mode}
        return nn.spec.ModuleSpec.from_raw({"decode": {**self._inputs(1), "$": mode}, "forward": forward}, self)

    def _inputs(self, n: str | int) -> dict[str, Any]:
        config, shape, tensor = self.plan.config, self.plan.attention, nn.spec.Tensor
        pool = [config.num_layers, "pages", config.num_kv_heads]
        return {
            "x": tensor([n, config.hidden], "float32"),
            "rotation": tensor([n, config.head_size], "float32"),
            "positions": tensor([n], "int32"),
            "slots": tensor([n], "int32"),
            "tiles": tensor([1 if n == 1 else "t", 4], "int32"),
            "page_table": tensor([1 if n == 1 else "b", "w"], "int32"),
            "keys": tensor([*pool, config.head_size, PAGE_SIZE], shape.cache_dtype),
            "values": tensor([*pool, PAGE_SIZE, config.head_size], shape.cache_dtype),
        }


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, plan: DecoderPlan, layer: LayerPlan) -> None:
        config, kernels = plan.config, plan.kernels
        attended = config.num_heads * config.head_size
        self.plan = plan
        self.attention_norm = nn.Parameter((config.hidden,), "float32")
        self.qkv = QuantLinear(layer.qkv, config.hidden, "bias" if config.has_bias else "none", kernels)
        self.attention_output = QuantLinear(layer.attention_output, attended, "residual", kernels)
        self.feed_forward_norm = nn.Parameter((config.hidden,), "float32")
        self.gate_up = QuantLinear(layer.gate_up, config.hidden, "none", kernels)
        self.down = QuantLinear(layer.down, config.feed_forward, "residual", kernels)

    def forward(self, x: Tensor, cache: Cache, index: int) -> tuple[Tensor, Cache]:
        kernels, epsilon = self.plan.kernels, self.plan.config.epsilon
        qkv = self.qkv(quantize_activation(kernels, x, "rms", self.attention_norm, epsilon))
        attended, cache = _attend(self.plan.attention, qkv, cache, index)
        x = self.attention_output(quantize_activation(kernels, attended, "plain"), x)
        gate_up = self.gate_up(quantize_activation(kernels, x, "rms", self.feed_forward_norm, epsilon))
        return self.down(quantize_activation(kernels, gate_up, "silu"), x), cache


def _attend(shape: AttentionShape, qkv: Tensor, cache: Cache, index: int) -> tuple[Tensor, Cache]:
    """Rotate and append layer `index`'s keys and values, then attend: float32 [n, heads * head_size], and the cache."""
    rows = qkv.shape[0]
    fixed = rows if isinstance(rows, int) else None
    layer = IntImm("int64", index)
    place = nn.Tensor.placeholder
    queries = place((rows, shape.num_heads * shape.head_size), "float32")
    pools = [place(pool.shape, shape.cache_dtype) for pool in (cache.keys, cache.values)]
    q, keys, values = op.tensor_ir_inplace_op(
        rotate_and_append(shape, fixed),
        "rotate_and_append",
        [qkv, cache.rotation, cache.slots, cache.keys, cache.values, layer],
        [-1, 3, 4],
        [queries, *pools],
    )
    places = [cache.positions, cache.tiles, cache.page_table, layer]
    attended = op.tensor_ir_op(attention(shape, fixed), "attention", [q, keys, values, *places], queries)
    return attended, replace(cache, keys=keys, values=values)
