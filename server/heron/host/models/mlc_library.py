"""Does a compiled library of MLC-LLM's fit a model, and both a device? Told by what the library says of itself.

A library answers `_metadata` with JSON: quantization, context_window_size, prefill_chunk_size, memory_usage, and
params, each with its shape and type (MLC-LLM, `compiler_pass/attach_support_info.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from heron.host.models.mlc_format import ITEM_BYTES, MlcConfig, Shard

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model takes of a device's memory, in bytes."""

    weights: int
    cache: int
    work: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.work

    def describe(self) -> str:
        parts = f"weights {self.weights / 1e6:,.0f}, KV cache {self.cache / 1e6:,.0f}, work {self.work / 1e6:,.0f}"
        return f"{self.total / 1e6:,.0f} MB ({parts})"


def find_mismatches(metadata: Mapping[str, Any], config: MlcConfig, shards: tuple[Shard, ...]) -> Iterator[str]:
    """Each way in which a library was not made for a model: the constructor of MLC-LLM's engine hangs on them."""
    for key, told in (("quantization", config.quantization), ("model_type", config.model_type)):
        if metadata.get(key, told) != told:
            yield f"the library is for {key} {metadata[key]!r}, the model is {told!r}"
    wanted = {str(param.get("name")): param for param in metadata.get("params") or () if isinstance(param, Mapping)}
    if wanted:
        yield from _find_wrong_params(wanted, shards)


def estimate(metadata: Mapping[str, Any], config: MlcConfig, shards: tuple[Shard, ...], cache_tokens: int) -> Estimate:
    """What the model takes with a KV cache of so many tokens, by the library's own numbers where it has them."""
    params = [param for param in metadata.get("params") or () if isinstance(param, Mapping)]
    stored = [(record.shape, record.dtype) for shard in shards for record in shard.records]
    told = [(tuple(param.get("shape", ())), str(param.get("dtype"))) for param in params]
    has_sizes = bool(told) and all(_is_fixed(shape) for shape, _ in told)
    weights = sum(prod(shape) * ITEM_BYTES.get(dtype, 4) for shape, dtype in (told if has_sizes else stored))
    usage = metadata.get("memory_usage")
    work = max((int(value) for value in usage.values()), default=0) if isinstance(usage, Mapping) else 0
    return Estimate(weights, _cache_bytes(metadata, config) * cache_tokens, work)


def _find_wrong_params(wanted: Mapping[str, Mapping[str, Any]], shards: tuple[Shard, ...]) -> Iterator[str]:
    found = {record.name: record for shard in shards for record in shard.records}
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        yield f"the library wants {len(missing)} weights the model has not: {', '.join(missing[:_MOST_NAMED])}"
    for name in sorted(wanted.keys() & found.keys()):
        shape = tuple(wanted[name].get("shape") or found[name].shape)
        if _is_fixed(shape) and shape != found[name].shape:
            yield f"the library wants {name} of shape {shape}, the model's is {found[name].shape}"
            return


def _is_fixed(shape: tuple[Any, ...]) -> bool:
    """Whether all sizes are told; -1 or a name stands for any."""
    return bool(shape) and all(type(size) is int and size > 0 for size in shape)


def _cache_bytes(metadata: Mapping[str, Any], config: MlcConfig) -> int:
    """Of one token, in the numbers that the model computes with."""
    told = metadata.get("kv_cache")
    kv: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    heads = int(config.shape.get("num_attention_heads") or 1)
    layers = int(kv.get("num_hidden_layers") or config.shape.get("num_hidden_layers") or 0)
    kv_heads = int(kv.get("num_key_value_heads") or config.shape.get("num_key_value_heads") or heads)
    hidden = int(config.shape.get("hidden_size") or 0)
    size = int(kv.get("head_dim") or config.shape.get("head_dim") or hidden // heads)
    return 2 * layers * kv_heads * size * (4 if "f32" in config.quantization else 2)
