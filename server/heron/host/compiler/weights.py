"""The weights file: every parameter of the compiled decoder, packed once, to be memory-mapped."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.compiler.architectures import ModelConfig, rope_frequencies
from heron.host.compiler.key_turns import make_key_turns
from heron.host.compiler.layer_tensors import (
    LayerTensors,
    layer_tensors,
    output_norm_tensors,
    output_tensors,
    stack_vectors,
)
from heron.host.compiler.manifest import WeightEntry
from heron.host.compiler.pack import pack_linear
from heron.host.models.gguf import GgufFile, GgufTensor

EMBEDDING = "embedding"
"""Name of the entry that holds the embedding's rows as stored in the GGUF file."""

OUTPUTS = ("attention_output", "down")
"""Linears that are added to the residual; `decoder` has them inside what adds them."""

_ALIGNMENT = 4096  # pages: a parameter's pages are read ahead and dropped on their own

Array = npt.NDArray[Any]
_Part = tuple[str, Array]


def write_weights(
    file: GgufFile,
    config: ModelConfig,
    path: Path,
    report: Callable[[int, int], None],
    restores_bias: bool = False,
) -> tuple[WeightEntry, ...]:
    """Pack the file's tensors into `path`, a tensor at a time; `report` is told (done, total) bytes of the source.

    With the tables of `key_turns` for attention that restores keys' biases. OSError as the disk raises it.
    """
    entries: list[WeightEntry] = []
    turns = make_key_turns(config, rope_frequencies(file, config)) if restores_bias else {}
    total, done = _source_bytes(file), 0
    with path.open("wb") as target:
        for source_bytes, parts in chain([(0, list(turns.items()))], _packed(file, config)):
            for name, array in parts:
                target.write(bytes(-target.tell() % _ALIGNMENT))
                entries.append(WeightEntry(name, array.dtype.name, array.shape, target.tell()))
                target.write(np.ascontiguousarray(array).data)
            done += source_bytes
            report(done, total)
    return tuple(entries)


def map_weights(path: Path, entries: Sequence[WeightEntry]) -> list[Array]:
    """Views of the mapped weights file, in the order of `entries`; nothing is read until it is used.

    The mapping is private and writable because DLPack knows no read-only arrays; nobody writes to it.
    """
    file = np.memmap(path, mode="c", dtype=np.uint8)
    return [_view(file, entry) for entry in entries]


def _view(file: Array, entry: WeightEntry) -> Array:
    dtype = np.dtype(entry.dtype)
    size = int(np.prod(entry.shape)) * dtype.itemsize
    return file[entry.offset : entry.offset + size].view(dtype).reshape(entry.shape)


def _source_bytes(file: GgufFile) -> int:
    embedding, (output,) = file.tensors["token_embd.weight"], output_tensors(file)
    tied = embedding.num_bytes if output is embedding else 0
    return sum(tensor.num_bytes for tensor in file.tensors.values()) + tied


def _packed(file: GgufFile, config: ModelConfig) -> Iterator[tuple[int, list[_Part]]]:
    """Parameters by the names `decoder.Decoder` gives them, with the bytes of their source."""
    embedding = file.tensors["token_embd.weight"]
    yield embedding.num_bytes, [(EMBEDDING, embedding.data)]
    for index in range(config.num_layers):
        yield from _pack_layer(f"layers.{index}", layer_tensors(file, config, index))
    for name, tensor in output_norm_tensors(file, config).items():
        yield _pack_vectors(name, [tensor])
    yield _pack_linear("output", output_tensors(file))


def _pack_layer(prefix: str, layer: LayerTensors) -> Iterator[tuple[int, list[_Part]]]:
    for name, vectors in layer.vectors.items():
        yield _pack_vectors(f"{prefix}.{name}", vectors)
    for name, linear in layer.linears.items():
        inner = ".linear" if name in OUTPUTS else ""
        yield _pack_linear(f"{prefix}.{name}{inner}", linear)


def _pack_linear(name: str, tensors: Sequence[GgufTensor]) -> tuple[int, list[_Part]]:
    parts = [(f"{name}.weights.{index}", packed) for index, (_, packed) in enumerate(pack_linear(tensors))]
    return sum(tensor.num_bytes for tensor in tensors), parts


def _pack_vectors(name: str, tensors: Sequence[GgufTensor]) -> tuple[int, list[_Part]]:
    return sum(tensor.num_bytes for tensor in tensors), [(name, stack_vectors(tensors))]
