"""Read GGUF files: metadata and memory-mapped tensors, every malformed file refused with one sentence.

The format is ggml's `docs/gguf.md`. The header is parsed here and not by `gguf.GGUFReader`, which makes one numpy
view a string (6 s for a 152k vocabulary, against 0.2 s here) and fails on bad files with whatever numpy raises.
Type sizes and dequantisation are the `gguf` package's.
"""

import mmap
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, ModelUnavailable, NoPermission, UnsupportedModel

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_SCALARS = ("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?", "", "", "<Q", "<q", "<d")
"""struct formats by GGUF value type; 8 is a string, 9 an array."""
_STRING, _ARRAY = 8, 9
_MAX_DIMENSIONS = 4
_MAX_NESTING = 4


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor as stored. `shape` has rows first: [n, k] or [n]; ggml's own order is the reverse."""

    name: str
    type_name: str
    """ggml's name of the number format: F32, Q4_K, ..."""
    shape: tuple[int, ...]
    source: Bytes | Callable[[], Bytes]
    """[rows, row_bytes], a read-only view of the mapped file, or what makes them; a one-dimensional one is one row"""

    @property
    def data(self) -> Bytes:
        """The rows; made anew at each call where they are not stored as they are."""
        return self.source() if callable(self.source) else self.source

    @property
    def num_bytes(self) -> int:
        """What the rows take, told without making them."""
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

        block_size, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[self.type_name]]
        return int(prod(self.shape) // block_size * block_bytes)


@dataclass(frozen=True, slots=True)
class GgufFile:
    """An open GGUF file. The mapping lives as long as a tensor's data does."""

    path: Path
    metadata: Mapping[str, Any]
    """Python numbers, strings, booleans and lists by key"""
    tensors: Mapping[str, GgufTensor]

    @property
    def architecture(self) -> str:
        """ggml's name of the model family; empty where the file does not say."""
        return str(self.metadata.get("general.architecture", ""))


def open_gguf(path: Path) -> GgufFile:
    """Map a GGUF file and parse its header.

    Raises CorruptModel for a file that is truncated or not GGUF, UnsupportedModel for a version or tensor type
    Heron does not know, ModelUnavailable or NoPermission for one that cannot be read.
    """
    view = _map_file(path)
    try:
        metadata, tensors = _parse(_Cursor(view, path), path)
    except (struct.error, UnicodeDecodeError, ValueError, OverflowError, RecursionError) as error:
        raise CorruptModel(f"{path} is not a whole GGUF file: {error}.") from error
    return GgufFile(path, MappingProxyType(metadata), MappingProxyType(tensors))


def slice_rows(tensor: GgufTensor, start: int, end: int) -> GgufTensor:
    """Rows `start` to `end` of a tensor, or entries of a one-dimensional one, made when they are asked for."""

    def cut() -> Bytes:
        items = tensor.data.reshape(tensor.shape[0], -1)[start:end]
        return items if len(tensor.shape) > 1 else items.reshape(1, -1)

    return GgufTensor(tensor.name, tensor.type_name, (end - start, *tensor.shape[1:]), cut)


def dequantize(tensor: GgufTensor) -> Float32:
    """The tensor's values as float32 in `tensor.shape`."""
    from gguf import GGMLQuantizationType, quants

    try:
        values = quants.dequantize(_typed(tensor), GGMLQuantizationType[tensor.type_name])
    except NotImplementedError as error:
        raise UnsupportedModel(f"Tensor {tensor.name} is {tensor.type_name}, which cannot be dequantised.") from error
    return np.asarray(values, dtype=np.float32).reshape(tensor.shape)


def _typed(tensor: GgufTensor) -> npt.NDArray[Any]:
    kinds = {"F32": np.float32, "F16": np.float16, "F64": np.float64}
    kind = kinds.get(tensor.type_name)
    return tensor.data if kind is None else tensor.data.view(kind)


def _map_file(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ModelUnavailable(f"There is no model file {path}.") from error
    except PermissionError as error:
        raise NoPermission(f"{path} may not be read by this user.") from error
    except ValueError as error:
        raise CorruptModel(f"{path} is empty.") from error


class _Cursor:
    """A read position in the mapped header; every read checks that the bytes are there."""

    def __init__(self, view: memoryview, path: Path) -> None:
        self.view = view
        self.offset = 0
        self.path = path

    @property
    def remaining(self) -> int:
        return len(self.view) - self.offset

    def take(self, size: int) -> memoryview:
        if size > self.remaining:
            raise CorruptModel(f"{self.path} is truncated or altered: its header runs past the end of the file.")
        self.offset += size
        return self.view[self.offset - size : self.offset]

    def scalar(self, kind: str) -> Any:
        return struct.unpack(kind, self.take(struct.calcsize(kind)))[0]

    def count(self, smallest_bytes: int) -> int:
        """A 64-bit count of things that take at least `smallest_bytes` each, refused if they cannot all be there."""
        count: int = self.scalar("<Q")
        if count * smallest_bytes > self.remaining:
            raise CorruptModel(f"{self.path} is truncated or altered: it announces {count} entries it cannot hold.")
        return count

    def text(self) -> str:
        return str(self.take(self.count(1)), "utf-8")


def _parse(cursor: _Cursor, path: Path) -> tuple[dict[str, Any], dict[str, GgufTensor]]:
    _check_version(cursor, path)
    num_tensors = cursor.count(24)
    metadata: dict[str, Any] = {}
    for _ in range(cursor.count(13)):
        key = cursor.text()
        if key in metadata:
            raise ValueError(f"the key {key!r} occurs twice")
        metadata[key] = _read_value(cursor, cursor.scalar("<I"))
    infos = [_read_info(cursor) for _ in range(num_tensors)]
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
        raise ValueError(f"its alignment is {alignment!r}, not a power of two")
    start = -(-cursor.offset // alignment) * alignment
    return metadata, _map_tensors(np.frombuffer(cursor.view, np.uint8), start, infos)


def _check_version(cursor: _Cursor, path: Path) -> None:
    if cursor.remaining < 8 or bytes(cursor.take(4)) != _MAGIC:
        raise CorruptModel(f"{path} is not a GGUF file: it does not begin with {_MAGIC.decode()}.")
    version = cursor.scalar("<I")
    if version not in _VERSIONS:
        known = " and ".join(map(str, _VERSIONS))
        raise UnsupportedModel(f"{path} says it is GGUF version {version}; Heron reads versions {known}.")


def _read_value(cursor: _Cursor, kind: int, nesting: int = 0) -> Any:
    if kind == _STRING:
        return cursor.text()
    if kind == _ARRAY:
        return _read_array(cursor, nesting + 1)
    return cursor.scalar(_scalar_format(kind))


def _read_array(cursor: _Cursor, nesting: int) -> list[Any]:
    if nesting > _MAX_NESTING:
        raise ValueError("its arrays are nested too deeply")
    kind = cursor.scalar("<I")
    if kind == _STRING:
        return _read_texts(cursor, cursor.count(8))
    if kind == _ARRAY:
        return [_read_array(cursor, nesting + 1) for _ in range(cursor.count(12))]
    form = _scalar_format(kind)
    size = struct.calcsize(form)
    count = cursor.count(size)
    values: list[Any] = np.frombuffer(cursor.take(count * size), np.dtype(form)).tolist()
    return values


def _read_texts(cursor: _Cursor, count: int) -> list[str]:
    """Strings in a row. The vocabulary is most of a header, so this is one plain loop on local names."""
    view, offset, unpack = cursor.view, cursor.offset, struct.Struct("<Q").unpack_from
    texts = []
    for _ in range(count):
        end = offset + 8 + unpack(view, offset)[0]
        text = view[offset + 8 : end]
        if end > len(view):
            raise CorruptModel(f"{cursor.path} is truncated or altered: its header runs past the end of the file.")
        texts.append(str(text, "utf-8"))
        offset = end
    cursor.offset = offset
    return texts


def _scalar_format(kind: int) -> str:
    if kind >= len(_SCALARS) or not _SCALARS[kind]:
        raise ValueError(f"value type {kind} is unknown")
    return _SCALARS[kind]


@dataclass(frozen=True, slots=True)
class _Info:
    name: str
    dimensions: tuple[int, ...]
    type_id: int
    offset: int


def _read_info(cursor: _Cursor) -> _Info:
    name = cursor.text()
    num_dimensions = cursor.scalar("<I")
    if not 1 <= num_dimensions <= _MAX_DIMENSIONS:
        raise ValueError(f"tensor {name!r} has {num_dimensions} dimensions")
    dimensions = tuple(cursor.scalar("<Q") for _ in range(num_dimensions))
    return _Info(name, dimensions, cursor.scalar("<I"), cursor.scalar("<Q"))


def _map_tensors(file: Bytes, start: int, infos: list[_Info]) -> dict[str, GgufTensor]:
    tensors: dict[str, GgufTensor] = {}
    for info in infos:
        if info.name in tensors:
            raise ValueError(f"tensor {info.name!r} occurs twice")
        tensors[info.name] = _map_tensor(file, start + info.offset, info)
    return tensors


def _map_tensor(file: Bytes, start: int, info: _Info) -> GgufTensor:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        kind = GGMLQuantizationType(info.type_id)
        block_size, block_bytes = GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError) as error:
        raise UnsupportedModel(f"Tensor {info.name!r} has the unknown number format {info.type_id}.") from error
    columns, num_rows = info.dimensions[0], prod(info.dimensions[1:])
    if prod(info.dimensions) == 0 or columns % block_size:
        raise ValueError(f"tensor {info.name!r} of shape {info.dimensions} cannot be {kind.name}")
    row_bytes = columns // block_size * block_bytes
    end = start + num_rows * row_bytes
    if end > len(file):
        raise ValueError(f"tensor {info.name!r} ends at byte {end} and the file at byte {len(file)}")
    data = file[start:end].reshape(num_rows, row_bytes)
    return GgufTensor(info.name, kind.name, tuple(reversed(info.dimensions)), data)
