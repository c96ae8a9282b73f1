"""The tensors of a folder of MLC-LLM's as a GGUF file would hold them: ggml's blocks, made when they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.models.gguf import Bytes, GgufTensor
from heron.host.models.mlc_blocks import GROUP, WORD_CODES, make_q4_0
from heron.host.models.mlc_format import MlcConfig, TensorRecord, read_tensor_cache

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]

_PLAIN = ("q0f16", "q0bf16", "q0f32")
_GROUPED = ("q4f16_1", "q4f32_1", "q4bf16_1", "q4f16_2", "q4f16_0", "q4bf16_0")
_ACROSS = ("q4f16_0", "q4bf16_0")
"""quantisations whose linears are stored as [K, N]; embeddings never are"""
_TYPES: Mapping[str, str] = {"float16": "F16", "bfloat16": "BF16", "float32": "F32"}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a weight that becomes a tensor of its own: which, in which order, and the shape of the whole."""

    name: str
    """MLC-LLM's, without `.weight` or `.bias`"""
    shape: tuple[int, int]
    """of the whole weight, rows first"""
    rows: Rows | None = None
    """None for all as they are"""
    is_embedding: bool = False


class MlcWeights:
    """The mapped shards of a folder. A tensor's rows are read, and blocks made of them, when they are asked for."""

    def __init__(self, folder: Path, config: MlcConfig) -> None:
        if config.quantization not in (*_PLAIN, *_GROUPED):
            known = ", ".join((*_PLAIN, *_GROUPED))
            raise UnsupportedModel(f"The model is quantised as {config.quantization!r}; Heron runs {known}.")
        self._folder = folder
        self._is_across = config.quantization in _ACROSS
        self._places: dict[str, tuple[Array, TensorRecord]] = {}
        for shard in read_tensor_cache(folder):
            data = self._map(shard.file_name, shard.num_bytes)
            self._places |= {record.name: (data, record) for record in shard.records}

    def has(self, name: str) -> bool:
        return name in self._places

    def vector(self, name: str, gguf_name: str, rows: Rows | None = None) -> GgufTensor:
        """A one-dimensional tensor, or some of its entries."""
        _, record = self._find(name)
        length = record.shape[0] if rows is None else len(rows)
        return GgufTensor(gguf_name, _type_name(record), (length,), partial(self._read_vector, name, rows))

    def matrix(self, part: Part, gguf_name: str) -> GgufTensor:
        """A two-dimensional tensor, or some of its rows. CorruptModel if its shape is not the configuration's."""
        count = part.shape[0] if part.rows is None else len(part.rows)
        shape = (count, part.shape[1])
        if self.has(f"{part.name}.q_weight"):
            self._check_grouped(part)
            return GgufTensor(gguf_name, "Q4_0", shape, partial(self._read_grouped, part))
        name = f"{part.name}.weight"
        _, record = self._find(name)
        self._check_shape(record, part.shape)
        return GgufTensor(gguf_name, _type_name(record), shape, partial(self._read_plain, name, part.rows))

    def _read_vector(self, name: str, rows: Rows | None) -> Bytes:
        values = self._values(name)
        return _bytes(values if rows is None else values[rows]).reshape(1, -1)

    def _read_plain(self, name: str, rows: Rows | None) -> Bytes:
        values = self._values(name)
        return _bytes(values if rows is None else values[rows])

    def _read_grouped(self, part: Part) -> Bytes:
        words, scales = self._values(f"{part.name}.q_weight"), self._floats(f"{part.name}.q_scale")
        if self._lies_across(part):
            words, scales = np.ascontiguousarray(words.T), np.ascontiguousarray(scales.T)
        if part.rows is not None:
            words, scales = words[part.rows], scales[part.rows]
        return make_q4_0(words, scales, part.name)

    def _floats(self, name: str) -> Array:
        """Values as float16 or float32; bfloat16 ones, which numpy does not know, as the float32 they begin."""
        values, (_, record) = self._values(name), self._find(name)
        if _type_name(record) != "BF16":
            return values
        return (values.astype(np.uint32) << 16).view(np.float32)

    def _values(self, name: str) -> Array:
        """A tensor as stored, in its shape; bfloat16 as uint16."""
        data, record = self._find(name)
        kinds: dict[str, Any] = {"float16": "<f2", "float32": "<f4", "bfloat16": "<u2", "uint32": "<u4"}
        kind = "<u2" if record.is_halved else kinds.get(record.dtype)
        if kind is None:
            raise UnsupportedModel(f"Tensor {name} is {record.dtype}, which Heron does not read.")
        return data[record.offset : record.offset + record.num_bytes].view(kind).reshape(record.shape)

    def _check_grouped(self, part: Part) -> None:
        rows, columns = part.shape
        if columns % GROUP:
            raise UnsupportedModel(f"Tensor {part.name} is {columns} wide, which is not a multiple of {GROUP}.")
        for ending, divisor in (("q_weight", WORD_CODES), ("q_scale", GROUP)):
            _, record = self._find(f"{part.name}.{ending}")
            wanted = (rows, columns // divisor)
            self._check_shape(record, wanted[::-1] if self._lies_across(part) else wanted)

    def _lies_across(self, part: Part) -> bool:
        return self._is_across and not part.is_embedding

    def _check_shape(self, record: TensorRecord, wanted: tuple[int, ...]) -> None:
        if record.shape != wanted:
            raise CorruptModel(
                f"Tensor {record.name} in {self._folder} has the shape {record.shape}; the configuration says {wanted}."
            )

    def _find(self, name: str) -> tuple[Array, TensorRecord]:
        try:
            return self._places[name]
        except KeyError:
            raise CorruptModel(f"{self._folder} has no tensor {name}.") from None

    def _map(self, file_name: str, num_bytes: int) -> Array:
        path = self._folder / file_name
        try:
            data = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise CorruptModel(f"{path} cannot be read: {error}.") from error
        if len(data) != num_bytes:
            raise CorruptModel(f"{path} has {len(data)} bytes instead of {num_bytes}.")
        return data


def _type_name(record: TensorRecord) -> str:
    if record.is_halved:
        return "BF16"
    if record.dtype not in _TYPES:
        raise UnsupportedModel(f"Tensor {record.name} is {record.dtype}, which is no number format of a weight.")
    return _TYPES[record.dtype]


def _bytes(values: Array) -> Bytes:
    """The bytes of rows: a view of the mapped file where all rows are taken."""
    return np.ascontiguousarray(values).view(np.uint8)
