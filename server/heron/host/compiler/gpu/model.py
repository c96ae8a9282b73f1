"""From a GGUF file to what the GPU kernels need: the plan of the kernels, and the packed weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import UnsupportedModel
from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.gpu.device import GpuDevice
from heron.host.compiler.gpu.formats import ROW_TILE, join_formats, padded_rows
from heron.host.compiler.gpu.pack import pack_rows
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import (
    CUDA_LIMITS,
    HEAD_SIZES,
    DecoderShape,
    Epilogue,
    GpuLimits,
    LinearShape,
    Role,
)
from heron.host.compiler.layer_tensors import layer_tensors, output_tensors, stack_vectors
from heron.host.models.gguf import GgufFile, GgufTensor


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear on the device: its kernels' shape, and the tensors they take between inputs and output."""

    shape: LinearShape
    weights: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A decoder layer on the device."""

    attention_norm: Any
    qkv: Linear
    attention_output: Linear
    feed_forward_norm: Any
    gate_up: Linear
    down: Linear


@dataclass(frozen=True, slots=True)
class Model:
    """All weights on the device. `linear_bytes` are read for each token."""

    embedding: tuple[Any, ...]
    layers: tuple[Layer, ...]
    output_norm: Any
    output: Linear
    linear_bytes: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A linear as the file has it."""

    tensors: tuple[GgufTensor, ...]
    epilogue: Epilogue
    bias: tuple[GgufTensor, ...] = ()
    role: Role = "plain"

    @property
    def shape(self) -> LinearShape:
        rows, inner = padded_rows(sum(tensor.shape[0] for tensor in self.tensors)), self.tensors[0].shape[1]
        if inner % ROW_TILE:
            raise UnsupportedModel(f"Tensor {self.tensors[0].name}: its width {inner} is not a multiple of {ROW_TILE}.")
        return LinearShape(
            rows, inner, join_formats([tensor.type_name for tensor in self.tensors]), self.epilogue, self.role
        )


def plan_kernels(file: GgufFile, config: ModelConfig, limits: GpuLimits = CUDA_LIMITS) -> KernelPlan:
    """The kernels for this file; UnsupportedModel if its family or a tensor's type or width has none."""
    _check_family(config)
    shape = DecoderShape(
        config.hidden, config.feed_forward, config.num_layers, config.num_heads, config.num_kv_heads, config.head_size,
        config.epsilon,
    )  # fmt: skip
    parts = [part for index in range(config.num_layers) for part in _layer_parts(file, config, limits, index)]
    output = _Part(output_tensors(file), "none").shape
    embedding = file.tensors["token_embd.weight"]
    return KernelPlan(
        shape, join_formats([embedding.type_name]), padded_rows(embedding.shape[0]),
        frozenset({*(part.shape for part in parts), output}), output.rows,
    )  # fmt: skip


def count_weight_bytes(file: GgufFile, config: ModelConfig) -> int:
    """Bytes on the device of what `load_model` puts there."""
    layers = [part for index in range(config.num_layers) for part in _layer_parts(file, config, CUDA_LIMITS, index)]
    parts = [_Part((file.tensors["token_embd.weight"],), "none"), *layers, _Part(output_tensors(file), "none")]
    packed = sum(part.shape.format.count_bytes(part.shape.rows, part.shape.inner) for part in parts)
    biases = sum(tensor.shape[0] for part in parts for tensor in part.bias)
    return packed + 4 * (biases + (2 * config.num_layers + 1) * config.hidden)


def load_model(file: GgufFile, config: ModelConfig, device: GpuDevice) -> Model:
    """Pack the file's tensors and put them on the device, one linear at a time."""
    loader = _Loader(device)
    embedding = loader.load_rows((file.tensors["token_embd.weight"],))
    loader.linear_bytes = 0  # of the embedding only one row is read a token
    layers = tuple(_load_layer(file, config, loader, index) for index in range(config.num_layers))
    output = loader.load(_Part(output_tensors(file), "none"))
    return Model(
        embedding, layers, loader.load_vector((file.tensors["output_norm.weight"],)), output, loader.linear_bytes
    )


def _check_family(config: ModelConfig) -> None:
    """UnsupportedModel if the kernels lack what the family or its sizes take."""
    if not config.traits.is_plain:
        raise UnsupportedModel(f"On a GPU Heron runs models like Llama and Qwen2, not yet {config.family}.")
    if config.head_size not in HEAD_SIZES:
        sizes = " and ".join(map(str, HEAD_SIZES))
        raise UnsupportedModel(f"On a GPU Heron runs attention heads of {sizes}, not yet of {config.head_size}.")


class _Loader:
    """Puts weights on the device and counts their bytes."""

    def __init__(self, device: GpuDevice) -> None:
        self.device = device
        self.linear_bytes = 0

    def load_rows(self, tensors: Sequence[GgufTensor]) -> tuple[Any, ...]:
        packed = pack_rows(tensors)
        self.linear_bytes += packed.nbytes
        return tuple(self.device.upload(array) for array in packed.arrays)

    def load_vector(self, tensors: Sequence[GgufTensor]) -> Any:
        vector: npt.NDArray[np.float32] = stack_vectors(tensors)
        return self.device.upload(vector)

    def load(self, part: _Part) -> Linear:
        weights = self.load_rows(part.tensors)
        return Linear(part.shape, (*weights, self.load_vector(part.bias)) if part.bias else weights)


def _load_layer(file: GgufFile, config: ModelConfig, loader: _Loader, index: int) -> Layer:
    parts = _layer_parts(file, config, loader.device.limits, index)
    qkv, attention_output, gate_up, down = (loader.load(part) for part in parts)
    tensors = layer_tensors(file, config, index)
    norms = [loader.load_vector(tensors.vectors[f"{name}.gain"]) for name in ("attention_norm", "feed_forward_norm")]
    return Layer(norms[0], qkv, attention_output, norms[1], gate_up, down)


def _layer_parts(
    file: GgufFile, config: ModelConfig, limits: GpuLimits, index: int
) -> tuple[_Part, _Part, _Part, _Part]:
    tensors = layer_tensors(file, config, index)
    linears, bias = tensors.linears, tensors.vectors.get("qkv.bias", ())
    joins_norm = config.hidden <= limits.most_projected
    return (
        _Part(linears["qkv"], "bias" if bias else "none", bias, "qkv" if joins_norm else "plain"),
        _Part(linears["attention_output"], "residual"),
        _Part(linears["gate_up"], "none", role="gate_up" if joins_norm else "plain"),
        _Part(linears["down"], "residual"),
    )
