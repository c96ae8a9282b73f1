"""A library as MLC-LLM's compiler leaves one, of a small Llama in float32, made without that compiler.

It has the same functions by the same names, the same KV cache of TVM's, and metadata of the same form.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heron.host.models.mlc_format import MlcConfig, read_mlc_config

MOST_SEQUENCES, MOST_TOKENS = 4, 64


@dataclass(frozen=True)
class _Shape:
    hidden: int
    heads: int
    kv_heads: int
    size: int
    feed_forward: int
    layers: int
    vocab: int
    epsilon: float
    theta: float

    @classmethod
    def of(cls, config: MlcConfig) -> "_Shape":
        names = ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size",
                 "num_hidden_layers", "vocab_size", "rms_norm_eps", "rope_theta")  # fmt: skip
        return cls(*(config.shape[name] for name in names))


def compile_llama(folder: Path, library: Path) -> Path:
    """Compile a q0f32 folder of Llama's; skips without a C compiler."""
    import tvm
    from tvm import relax
    from tvm.support import cc

    if cc.get_cc() is None:
        pytest.skip("no C compiler, and libraries are linked by one")
    config = read_mlc_config(folder)
    model = _make_model(_Shape.of(config))
    module, weights, *_ = model.export_tvm(spec=model.spec(), allow_extern=True)
    metadata = _describe(config, weights)
    builder = relax.BlockBuilder(_limit(module))
    with builder.function("_metadata", params=[]):
        builder.emit_func_output(tvm.ir.StringImm(json.dumps(metadata)))
    target = tvm.target.Target("llvm")
    with target:
        built = tvm.compile(builder.finalize(), target, relax_pipeline=relax.get_default_pipeline(target))
    built.export_library(str(library))
    return library


def _limit(module: Any) -> Any:
    """The module with memory planned for so much at a time, as MLC-LLM has it: more is an error."""
    limits = {"seq_len": MOST_TOKENS, "batch_size": MOST_SEQUENCES}
    for name in module.get_global_vars():
        module[name] = module[name].with_attr("tir_var_upper_bound", limits)
    return module


def _describe(config: MlcConfig, weights: list[tuple[str, Any]]) -> dict[str, Any]:
    """Metadata with the weights in the order in which the functions take them."""
    params = [
        {"name": name, "shape": [int(size) for size in weight.shape], "dtype": weight.dtype, "preprocs": []}
        for name, weight in weights
    ]
    return {
        "model_type": config.model_type, "quantization": config.quantization, "params": params,
        "context_window_size": 512, "prefill_chunk_size": MOST_TOKENS, "max_batch_size": MOST_SEQUENCES,
        "tensor_parallel_shards": 1, "kv_state_kind": "kv_cache", "memory_usage": {"batch_prefill": 1000},
    }  # fmt: skip


def _make_model(shape: _Shape) -> Any:
    from tvm.relax.frontend import nn
    from tvm.relax.frontend.nn import op

    class Attention(nn.Module):
        def __init__(self, index: int) -> None:
            width = shape.heads * shape.size
            self.index = index
            self.qkv_proj = nn.Linear(shape.hidden, width + 2 * shape.kv_heads * shape.size, bias=False)
            self.o_proj = nn.Linear(width, shape.hidden, bias=False)

        def forward(self, hidden: Any, cache: Any) -> Any:
            batch, count, _ = hidden.shape
            heads = shape.heads + 2 * shape.kv_heads
            qkv = op.reshape(self.qkv_proj(hidden), (batch, count, heads, shape.size))
            mixed = cache.attention_with_fused_qkv(self.index, qkv, shape.heads, shape.size**-0.5)
            return self.o_proj(op.reshape(mixed, (batch, count, shape.heads * shape.size)))

    class FeedForward(nn.Module):
        def __init__(self) -> None:
            self.gate_up_proj = nn.Linear(shape.hidden, 2 * shape.feed_forward, bias=False)
            self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

        def forward(self, hidden: Any) -> Any:
            gate, up = op.split(self.gate_up_proj(hidden), 2, axis=-1)
            return self.down_proj(op.silu(gate) * up)

    class Layer(nn.Module):
        def __init__(self, index: int) -> None:
            self.input_layernorm = nn.RMSNorm(shape.hidden, -1, shape.epsilon, bias=False)
            self.self_attn = Attention(index)
            self.post_attention_layernorm = nn.RMSNorm(shape.hidden, -1, shape.epsilon, bias=False)
            self.mlp = FeedForward()

        def forward(self, hidden: Any, cache: Any) -> Any:
            hidden = hidden + self.self_attn(self.input_layernorm(hidden), cache)
            return hidden + self.mlp(self.post_attention_layernorm(hidden))

    class Trunk(nn.Module):
        def __init__(self) -> None:
            self.embed_tokens = nn.Embedding(shape.vocab, shape.hidden)
            self.layers = nn.ModuleList([Layer(index) for index in range(shape.layers)])
            self.norm = nn.RMSNorm(shape.hidden, -1, shape.epsilon, bias=False)

    class Llama(nn.Module):
        def __init__(self) -> None:
            self.model = Trunk()
            self.lm_head = nn.Linear(shape.hidden, shape.vocab, bias=False)

        def embed(self, input_ids: Any) -> Any:
            return self.model.embed_tokens(input_ids)

        def batch_verify(self, input_embeds: Any, paged_kv_cache: Any) -> Any:
            return self.lm_head(self._trunk(input_embeds, paged_kv_cache)), paged_kv_cache

        def batch_decode(self, input_embeds: Any, paged_kv_cache: Any) -> Any:
            return self.batch_verify(input_embeds, paged_kv_cache)

        def decode(self, input_embed: Any, paged_kv_cache: Any) -> Any:
            return self.batch_verify(input_embed, paged_kv_cache)

        def batch_prefill(self, input_embeds: Any, logit_positions: Any, paged_kv_cache: Any) -> Any:
            hidden = op.take(self._trunk(input_embeds, paged_kv_cache), logit_positions, axis=1)
            return self.lm_head(hidden), paged_kv_cache

        def create_tir_paged_kv_cache(
            self, max_batch_size: Any, max_total_seq_len: Any, prefill_chunk_size: Any, page_size: Any, sliding: Any
        ) -> Any:
            from tvm import relax, target
            from tvm.relax.frontend.nn.llm.kv_cache import RopeMode, TIRPagedKVCache

            return TIRPagedKVCache(
                "mha", max_batch_size, max_total_seq_len, prefill_chunk_size, page_size, sliding,
                layer_partition=relax.ShapeExpr([0, shape.layers]), num_hidden_layers=shape.layers,
                num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, qk_head_dim=shape.size,
                v_head_dim=shape.size, mla_original_qk_head_dim=0, mla_original_v_head_dim=0,
                rope_mode=RopeMode.NORMAL, rope_scale=1, rope_theta=int(shape.theta), rope_scaling={},
                rope_ext_factors=relax.prim_value(0), rotary_dim=shape.size, enable_disaggregation=False,
                dtype="float32", target=target.Target("llvm"),
            )  # fmt: skip

        def _trunk(self, hidden: Any, cache: Any) -> Any:
            for layer in self.model.layers:
                hidden = layer(hidden, cache)
            return self.model.norm(hidden)

        def spec(self) -> Any:
            packed = {"param_mode": "packed", "effect_mode": "none"}
            one = nn.spec.Tensor([1, 1, shape.hidden], "float32")
            many = nn.spec.Tensor([1, "seq_len", shape.hidden], "float32")
            each = nn.spec.Tensor(["batch_size", 1, shape.hidden], "float32")
            cache = nn.spec.Object(object_type=_cache_type())
            positions = nn.spec.Tensor(["batch_size"], "int32")
            sizes = ("max_batch_size", "max_total_seq_len", "prefill_chunk_size", "page_size", "sliding")
            functions = {
                "embed": {"input_ids": nn.spec.Tensor(["seq_len"], "int32")},
                "decode": {"input_embed": one, "paged_kv_cache": cache},
                "batch_decode": {"input_embeds": each, "paged_kv_cache": cache},
                "batch_verify": {"input_embeds": many, "paged_kv_cache": cache},
                "batch_prefill": {"input_embeds": many, "logit_positions": positions, "paged_kv_cache": cache},
            }
            spec = {name: {**inputs, "$": packed} for name, inputs in functions.items()}
            made = {"$": {"param_mode": "none", "effect_mode": "none"}} | dict.fromkeys(sizes, int)
            return nn.spec.ModuleSpec.from_raw(spec | {"create_tir_paged_kv_cache": made}, self)

    model = Llama()
    model.to("float32")
    return model


def _cache_type() -> Any:
    from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

    return PagedKVCache
