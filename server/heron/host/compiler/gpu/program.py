"""The order of the kernels in one step of a decoder, and the buffers between them."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from heron.host.compiler.gpu.device import GpuDevice
from heron.host.compiler.gpu.model import Layer, Linear, Model
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import (
    ATTENTION_WARPS,
    MATRIX_TOKENS,
    MAX_PARTIALS,
    MAX_TOKENS,
    PLACES_SIZE,
    VECTOR_TOKENS,
    attention_splits,
)


@dataclass(frozen=True, slots=True)
class Cache:
    """Rotation table, and the pools of keys and values of all layers."""

    rotation: Any
    keys: Any
    values: Any


@dataclass(frozen=True, slots=True)
class Buffers:
    """What lies between the kernels. `codes` are quantised activations of three widths, three tensors each."""

    places: Any
    x: Any
    qkv: Any
    q: Any
    partials: tuple[Any, ...]
    gate_up: Any
    hidden_codes: tuple[Any, ...]
    attended_codes: tuple[Any, ...]
    feed_forward_codes: tuple[Any, ...]
    logits: Any


class Program:
    """Launches the kernels of a step; all of them read and write fixed buffers, so a step can be captured."""

    def __init__(self, plan: KernelPlan, functions: Any, model: Model, place: tuple[GpuDevice, Cache]) -> None:
        device, self._cache = place
        self._model, self._functions = model, functions
        self.buffers = _allocate(plan, device)
        self._kernels: dict[str, Any] = {}

    def enqueue(self, num_tokens: int, num_rows: int) -> None:
        """Launch a step for `padded_tokens` many tokens and rows of logits (none: the cache is filled only)."""
        buffers, model = self.buffers, self._model
        self._call("embed", num_tokens, buffers.places, *model.embedding, buffers.x)
        for index, layer in enumerate(model.layers):
            self._attend(num_tokens, index, layer)
            self._feed_forward(num_tokens, layer)
        if num_rows:
            codes = buffers.hidden_codes
            self._call("quantize_picked", num_rows, buffers.places, buffers.x, model.output_norm, *codes)
            self._multiply(model.output, num_rows, codes, buffers.logits)

    def copy_page(self, source: int, target: int) -> None:
        """Copy a page of all layers."""
        self._call("copy_page", source, target, self._cache.keys, self._cache.values)

    def _attend(self, num_tokens: int, index: int, layer: Layer) -> None:
        buffers, cache, splits = self.buffers, self._cache, attention_splits(num_tokens)
        place, pools = (index, buffers.places), (cache.keys, cache.values)
        if num_tokens in VECTOR_TOKENS and layer.qkv.shape.role == "qkv":
            norm, weights = (buffers.x, layer.attention_norm), layer.qkv.weights
            name = _vector_name(layer.qkv, num_tokens)
            self._call(name, *place, *norm, *weights, cache.rotation, *pools, buffers.q)
        else:
            self._call("quantize_rms", num_tokens, buffers.x, layer.attention_norm, *buffers.hidden_codes)
            self._multiply(layer.qkv, num_tokens, buffers.hidden_codes, buffers.qkv)
            self._call("rotate_and_append", num_tokens, *place, buffers.qkv, cache.rotation, *pools, buffers.q)
        self._call("attend", num_tokens, splits, *place, buffers.q, *pools, *buffers.partials)
        combine = f"combine_{splits * ATTENTION_WARPS}"
        self._call(combine, num_tokens, *buffers.partials, *buffers.attended_codes)
        self._multiply(layer.attention_output, num_tokens, buffers.attended_codes, buffers.x)

    def _feed_forward(self, num_tokens: int, layer: Layer) -> None:
        buffers, norm = self.buffers, layer.feed_forward_norm
        if num_tokens in VECTOR_TOKENS and layer.gate_up.shape.role == "gate_up":
            name, weights = _vector_name(layer.gate_up, num_tokens), layer.gate_up.weights
            self._call(name, buffers.x, norm, *weights, *buffers.feed_forward_codes)
        else:
            self._call("quantize_rms", num_tokens, buffers.x, norm, *buffers.hidden_codes)
            self._multiply(layer.gate_up, num_tokens, buffers.hidden_codes, buffers.gate_up)
            self._call("quantize_silu", num_tokens, buffers.gate_up, *buffers.feed_forward_codes)
        self._multiply(layer.down, num_tokens, buffers.feed_forward_codes, buffers.x)

    def _multiply(self, linear: Linear, num_tokens: int, codes: tuple[Any, ...], out: Any) -> None:
        if num_tokens in VECTOR_TOKENS:
            self._call(_vector_name(linear, num_tokens), *codes, *linear.weights, out)
        else:
            name = f"linear_{linear.shape.name}_matrix"
            self._call(name, num_tokens // MATRIX_TOKENS, *codes, *linear.weights, out)

    def _call(self, name: str, *arguments: Any) -> None:
        if name not in self._kernels:
            self._kernels[name] = self._functions[name]
        self._kernels[name](*arguments)


def _vector_name(linear: Linear, num_tokens: int) -> str:
    return f"linear_{linear.shape.name}_m{num_tokens}"


def padded_tokens(count: int) -> int:
    """The least number of tokens, at least `count`, that there are kernels for."""
    return next((size for size in VECTOR_TOKENS if size >= count), -(-count // MATRIX_TOKENS) * MATRIX_TOKENS)


def count_buffer_bytes(plan: KernelPlan) -> int:
    """Bytes of all that lies between the kernels of a step."""
    tally = _Tally([])
    _allocate(plan, tally)
    return sum(tally.sizes)


class _Allocator(Protocol):
    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Tally:
    """Allocates nothing and notes how much it would have been."""

    sizes: list[int]

    def zeros(self, shape: tuple[int, ...], dtype: str) -> None:
        self.sizes.append(math.prod(shape) * np.dtype(dtype).itemsize)


def _allocate(plan: KernelPlan, device: _Allocator) -> Buffers:
    shape = plan.decoder

    def rows(width: int) -> Any:
        return device.zeros((MAX_TOKENS, width), "float32")

    def codes(width: int) -> tuple[Any, ...]:
        return device.zeros((MAX_TOKENS, width // 4), "int32"), rows(width // 32), rows(width // 16)

    heads = (MAX_PARTIALS, shape.num_heads)
    return Buffers(
        places=device.zeros((PLACES_SIZE,), "int32"),
        x=rows(shape.hidden),
        qkv=rows(shape.qkv),
        q=rows(shape.attended),
        partials=tuple(device.zeros(size, "float32") for size in ((*heads, shape.head_size), heads, heads)),
        gate_up=rows(2 * shape.feed_forward),
        hidden_codes=codes(shape.hidden),
        attended_codes=codes(shape.attended),
        feed_forward_codes=codes(shape.feed_forward),
        logits=rows(plan.output_rows),
    )
