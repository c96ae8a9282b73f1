"""The decoder as a `relax.frontend.nn` model over our kernels: what `pipeline` compiles.

Per layer: norm and quantise → query, key, value → rotate and append → attention → quantise → output and residual →
norm and quantise → gate, up → activation, product and quantise → down and residual. Activations are float32
[n, hidden] between the linears and int8 with a scale for each 32 inside them. What a family's traits add (norms of
queries and keys, norms or biases behind a linear) is a step more where it has them and nothing where it has not.
"""

from dataclasses import replace
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import op

from heron.host.compiler.decoder_parts import (
    Cache,
    Norm,
    Projected,
    activate,
    add_bias,
    add_normalized,
    attend,
    cap_logits,
)
from heron.host.compiler.decoder_plan import DecoderPlan, LayerPlan
from heron.host.compiler.kernels.formats import Segment
from heron.host.compiler.kernels.linear import Epilogue
from heron.host.compiler.kernels.rows import take_rows
from heron.host.compiler.kernels.tiles import TILE_WORDS
from heron.host.compiler.key_turns import key_turn_shapes
from heron.host.compiler.layers import Activation, QuantLinear
from heron.host.compiler.traits import Linear, Traits

Tensor = Any


class Decoder(nn.Module):  # type: ignore[misc]
    """Hidden states in, logits out; those, and keys and values, are written in place to what the caller holds."""

    def __init__(self, plan: DecoderPlan) -> None:
        self.plan = plan
        self.layers = nn.ModuleList([_Layer(plan, layer) for layer in plan.layers])
        if plan.attention.restores_bias:
            pages, offsets = key_turn_shapes(plan.config)
            self.page_turns, self.offset_turns = nn.Parameter(pages, "float32"), nn.Parameter(offsets, "float32")
        self.output_norm = Norm(plan)
        self.output = QuantLinear(plan.output, plan.config.hidden, "none", plan.kernels)

    def decode(  # the inputs of the compiled function, flat as TVM wants them
        self, x: Tensor, rotation: Tensor, positions: Tensor, slots: Tensor, tiles: Tensor, page_table: Tensor,
        partials: Tensor, keys: Tensor, values: Tensor, logits: Tensor,
    ) -> Tensor:  # fmt: skip
        """Logits [1, vocab_size] of one token."""
        x = self._run_layers(x, Cache(rotation, positions, slots, tiles, page_table, partials, keys, values))
        return self._write_logits(x, logits)

    def forward(
        self, x: Tensor, rotation: Tensor, positions: Tensor, slots: Tensor, tiles: Tensor, page_table: Tensor,
        partials: Tensor, keys: Tensor, values: Tensor, logits: Tensor, logit_rows: Tensor,
    ) -> Tensor:  # fmt: skip
        """Logits [r, vocab_size] of the tokens `logit_rows` out of n."""
        x = self._run_layers(x, Cache(rotation, positions, slots, tiles, page_table, partials, keys, values))
        hidden, lanes = self.plan.config.hidden, self.plan.attention.lanes
        picked = nn.Tensor.placeholder((logit_rows.shape[0], hidden), "float32")
        x = op.tensor_ir_op(take_rows(hidden, lanes), "take_rows", [x, logit_rows], picked)
        return self._write_logits(x, logits)

    def _run_layers(self, x: Tensor, cache: Cache) -> Tensor:
        if self.plan.attention.restores_bias:
            cache = replace(cache, turns=(self.page_turns, self.offset_turns))
        for index, layer in enumerate(self.layers):
            x, cache = layer(x, cache, index)
        return x

    def _write_logits(self, x: Tensor, logits: Tensor) -> Tensor:
        normed = self.output_norm(x, self.plan.config.traits.logit_scale)
        if not self.plan.config.traits.logit_softcap:
            return self.output(normed, into=logits)
        return cap_logits(self.plan, self.output(normed), logits)

    def module_spec(self) -> Any:
        """The signatures of `decode` and `forward` for `export_tvm`; weights are one packed argument."""
        mode = {"param_mode": "packed", "effect_mode": "none"}
        forward = {**self._inputs("n", "r"), "logit_rows": nn.spec.Tensor(["r"], "int32"), "$": mode}
        return nn.spec.ModuleSpec.from_raw({"decode": {**self._inputs(1, 1), "$": mode}, "forward": forward}, self)

    def _inputs(self, n: str | int, r: str | int) -> dict[str, Any]:
        config, shape, tensor = self.plan.config, self.plan.attention, nn.spec.Tensor
        pool = tensor([config.num_layers, "pages", config.num_kv_heads, shape.page_items], shape.cache_dtype)
        return {
            "x": tensor([n, config.hidden], "float32"),
            "rotation": tensor([len(config.traits.tables), n, config.head_size], "float32"),
            "positions": tensor([n], "int32"),
            "slots": tensor([n], "int32"),
            "tiles": tensor(["t", TILE_WORDS], "int32"),
            "page_table": tensor([1 if n == 1 else "b", "w"], "int32"),
            "partials": tensor([config.num_kv_heads, "p", shape.state_width], "float32"),
            "keys": pool,
            "values": pool,
            "logits": tensor([r, config.vocab_size], "float32"),
        }


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, plan: DecoderPlan, layer: LayerPlan) -> None:
        config, traits, kernels = plan.config, plan.config.traits, plan.kernels
        attended = config.num_heads * config.head_size
        self.plan = plan
        self.attention_norm, self.feed_forward_norm = Norm(plan), Norm(plan)
        self.qkv = QuantLinear(layer.qkv, config.hidden, _input_epilogue(traits, "qkv"), kernels)
        self.attention_output = _Output(plan, "attention_output", layer.attention_output, attended)
        self.gate_up = QuantLinear(layer.gate_up, config.hidden, _input_epilogue(traits, "gate_up"), kernels)
        self.down = _Output(plan, "down", layer.down, config.feed_forward)
        if traits.has_qk_norm:
            self.query_norm, self.key_norm = (nn.Parameter((config.head_size,), "float32") for _ in range(2))

    def forward(self, x: Tensor, cache: Cache, index: int) -> tuple[Tensor, Cache]:
        gains = (self.query_norm, self.key_norm) if self.plan.config.traits.has_qk_norm else ()
        bias = (self.qkv.bias,) if self.plan.attention.restores_bias else ()
        given = Projected(self.qkv(self.attention_norm(x)), gains, bias)
        attended, cache = attend(self.plan, given, cache, index)
        x = self.attention_output(attended, x)
        gate_up = self.gate_up(self.feed_forward_norm(x))
        return self.down(activate(self.plan, gate_up), x), cache


class _Output(nn.Module):  # type: ignore[misc]
    """A linear whose output is added to the residual: as it is, with a bias, or normalised first."""

    def __init__(self, plan: DecoderPlan, name: Linear, segments: tuple[Segment, ...], inner: int) -> None:
        traits, hidden = plan.config.traits, plan.config.hidden
        self.plan = plan
        self.linear = QuantLinear(segments, inner, "none" if traits.has_post_norms else "residual", plan.kernels)
        self.has_bias = name in traits.biases
        if self.has_bias:
            self.bias = nn.Parameter((hidden,), "float32")
        if traits.has_post_norms:
            self.post_norm = nn.Parameter((hidden,), "float32")

    def forward(self, given: Activation, residual: Tensor) -> Tensor:
        if self.plan.config.traits.has_post_norms:
            return add_normalized(self.plan, self.linear(given), residual, self.post_norm)
        x = self.linear(given, residual)
        return add_bias(self.plan, x, self.bias) if self.has_bias else x


def _input_epilogue(traits: Traits, linear: Linear) -> Epilogue:
    return "bias" if linear in traits.biases else "none"
