"""Packing GGUF tensors into the CUDA kernels' layout (`cuda/formats.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heron.host.compiler.ggml_blocks import Bytes, SplitRows, split_rows
from heron.host.compiler.gpu.formats import GroupFormat, join_formats, padded_rows
from heron.host.compiler.gpu.rounding import PLAIN_TYPES, ROUNDED_TYPE, round_rows
from heron.host.compiler.kernels.formats import PART_K, Format, find_format
from heron.host.compiler.pack import RowsTensor

Int32 = npt.NDArray[np.int32]
Half = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]

_SLAB_ROWS = 4096  # rows taken apart at a time: bounds the temporaries


@dataclass(frozen=True, slots=True)
class PackedRows:
    """A packed linear; `high` and `offsets` are None where the format has none."""

    format: GroupFormat
    codes: Int32
    high: Int32 | None
    scales: Half
    offsets: Half | None

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """What a kernel takes, in its order."""
        return tuple(array for array in (self.codes, self.high, self.scales, self.offsets) if array is not None)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)


def pack_rows(tensors: Sequence[RowsTensor]) -> PackedRows:
    """The tensors' rows, one under the other, in the one format that holds them all."""
    joined = join_formats([tensor.type_name for tensor in tensors])
    packed = _allocate(joined, padded_rows(sum(tensor.shape[0] for tensor in tensors)), tensors[0].shape[1])
    first = 0
    for tensor in tensors:
        data = tensor.data
        for start in range(0, tensor.shape[0], _SLAB_ROWS):
            raw = np.asarray(data[start : start + _SLAB_ROWS])
            _pack_slab(packed, slice(first + start, first + start + len(raw)), tensor, raw)
        first += tensor.shape[0]
    return packed


def _allocate(joined: GroupFormat, rows: int, inner: int) -> PackedRows:
    parts = inner // PART_K
    scale_shape = (rows, inner // joined.group_k)
    return PackedRows(
        joined,
        np.zeros((rows, parts, joined.code_words), np.int32),
        np.zeros((rows, parts, joined.high_words), np.int32) if joined.high_words else None,
        np.zeros(scale_shape, np.float16),
        np.zeros(scale_shape, np.float16) if joined.has_offset else None,
    )


def _pack_slab(packed: PackedRows, place: slice, tensor: RowsTensor, raw: Bytes) -> None:
    inner, type_name = tensor.shape[1], tensor.type_name
    if type_name in PLAIN_TYPES:
        raw, type_name = round_rows(type_name, raw, inner), ROUNDED_TYPE
    source = find_format(type_name)
    assert isinstance(source, Format)
    rows = split_rows(type_name, raw, inner)
    scales, offsets = _fold_scales(source, rows)
    repeat = source.group_k // packed.format.group_k
    packed.scales[place] = np.repeat(scales, repeat, axis=1)
    if packed.offsets is not None:
        shift = 0 if packed.format.bits == 8 else source.zero_point
        packed.offsets[place] = np.repeat(offsets - shift * scales, repeat, axis=1)
    shift = source.zero_point if packed.format.bits == 8 else 0
    codes = (rows.codes - np.uint8(shift)).reshape(len(raw), inner // PART_K, 8, 4)
    packed.codes[place] = _pack_codes(packed.format, codes)
    if packed.high is not None:
        packed.high[place] = _pack_high(packed.format, codes)


def _fold_scales(source: Format, rows: SplitRows) -> tuple[Float32, Float32]:
    """Scales and minima float32 [n, K / group_k], sub-scales multiplied out."""
    if source.sub_scales == "none":
        scales = _halves(rows.scales)
        return scales, _halves(rows.minima) if rows.minima is not None else np.zeros_like(scales)
    integer = np.int8 if source.sub_scales == "signed" else np.uint8
    shared = [np.repeat(_halves(values), 256 // source.group_k, axis=1) for values in rows.shared]
    scales = shared[0] * rows.scales[..., 0].view(integer).astype(np.float32)
    if rows.minima is None:
        return scales, np.zeros_like(scales)
    return scales, -shared[1] * rows.minima[..., 0].astype(np.float32)


def _halves(values: Bytes) -> Float32:
    """Little-endian halves [n, groups, 2] as float32 [n, groups]."""
    return np.ascontiguousarray(values).view(np.float16)[..., 0].astype(np.float32)


def _pack_codes(joined: GroupFormat, codes: Bytes) -> Int32:
    """Code bytes [n, parts, 8, 4] as words."""
    if joined.bits < 8:
        codes = (codes[:, :, :4] & np.uint8(15)) | (codes[:, :, 4:] << np.uint8(4))
    return np.ascontiguousarray(codes).view(np.int32)[..., 0]


def _pack_high(joined: GroupFormat, codes: Bytes) -> Int32:
    """The bits above the nibbles of code bytes [n, parts, 8, 4], as words [n, parts, high_words]."""
    planes = joined.high_words
    rows = (codes >> 4).reshape(*codes.shape[:2], planes, 8 // planes, 4)
    shifts = (planes * np.arange(8 // planes, dtype=np.uint8))[:, None]
    high = np.bitwise_or.reduce(rows << shifts, axis=3)
    return np.ascontiguousarray(high).view(np.int32)[..., 0]
