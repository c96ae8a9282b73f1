"""Packing GGUF tensors into the kernels' layout (`kernels/formats.py`); every code and scale keeps its bits."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from heron.errors import UnsupportedModel
from heron.host.compiler.ggml_blocks import Bytes, SplitRows, split_rows
from heron.host.compiler.kernels.formats import (
    CODE_ROW_BYTES,
    PART_K,
    TILE_COLUMNS,
    FloatFormat,
    Format,
    Segment,
    find_format,
)

_SLAB_TILES = 64  # tiles packed at a time: bounds the temporaries to a few megabytes


class RowsTensor(Protocol):
    """A 2-D GGUF tensor: `shape` is (N, K), `data` its raw rows, uint8 [N, row_bytes]."""

    @property
    def name(self) -> str: ...
    @property
    def type_name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def data(self) -> Any: ...


def plan_linear(tensors: Sequence[RowsTensor]) -> list[Segment]:
    """The segments of a linear that stacks these tensors' rows as outputs; neighbours of one format are one segment.

    UnsupportedModel for a type without a packed format or a width no block fits; ValueError for differing widths.
    """
    return [_segment_of(group) for group in _group_tensors(tensors)]


def pack_linear(tensors: Sequence[RowsTensor]) -> list[tuple[Segment, Bytes]]:
    """The segments of `plan_linear` with their packed weights, uint8 `format.packed_shape(columns, K)`."""
    return [(_segment_of(group), _pack_group(group)) for group in _group_tensors(tensors)]


def _group_tensors(tensors: Sequence[RowsTensor]) -> list[list[RowsTensor]]:
    if len({tensor.shape[1] for tensor in tensors}) != 1:
        raise ValueError(f"tensors of one linear differ in width: {[tensor.shape for tensor in tensors]}")
    return [list(group) for _, group in groupby(tensors, key=lambda tensor: tensor.type_name)]


def _segment_of(tensors: list[RowsTensor]) -> Segment:
    data_format, inner = find_format(tensors[0].type_name), tensors[0].shape[1]
    if inner % data_format.block_k:
        raise UnsupportedModel(
            f"Tensor {tensors[0].name}: its width {inner} is not a multiple of {data_format.block_k}."
        )
    return Segment(data_format, sum(tensor.shape[0] for tensor in tensors))


def _pack_group(tensors: list[RowsTensor]) -> Bytes:
    segment, inner = _segment_of(tensors), tensors[0].shape[1]
    packed = np.zeros(segment.format.packed_shape(segment.columns, inner), np.uint8)
    for first_tile, raw in _slabs(tensors):
        target = packed[first_tile : first_tile + len(raw) // TILE_COLUMNS]
        if isinstance(segment.format, FloatFormat):
            target[...] = _transpose_tiles(raw, segment.format.item_bytes).reshape(target.shape)
        else:
            _write_tiles(segment.format, split_rows(segment.format.name, raw, inner), target)
    return packed


def _slabs(tensors: list[RowsTensor]) -> Iterator[tuple[int, Bytes]]:
    """Raw rows a slab at a time, with the slab's first tile; the last is filled up with zero rows to a whole tile."""
    rows = np.concatenate([tensor.data for tensor in tensors]) if len(tensors) > 1 else np.asarray(tensors[0].data)
    for first in range(0, len(rows), _SLAB_TILES * TILE_COLUMNS):
        slab = rows[first : first + _SLAB_TILES * TILE_COLUMNS]
        missing = -len(slab) % TILE_COLUMNS
        yield first // TILE_COLUMNS, np.pad(slab, ((0, missing), (0, 0))) if missing else slab


def _write_tiles(data_format: Format, rows: SplitRows, packed: Bytes) -> None:
    """Write the rows of some tiles into `packed` [tiles, blocks, block_bytes]."""
    tiles, blocks = packed.shape[:2]
    parts = np.empty((tiles, blocks * data_format.block_k // PART_K, data_format.part_bytes), np.uint8)
    _write_codes(data_format, _transpose_tiles(rows.codes, 4).reshape(*parts.shape[:2], 8, CODE_ROW_BYTES), parts)
    scales = _transpose_tiles(rows.scales, rows.scales.shape[-1]).reshape(*parts.shape[:2], -1)
    parts[..., data_format.scale_offset : data_format.scale_offset + scales.shape[-1]] = scales
    if rows.minima is not None:
        minima = _transpose_tiles(rows.minima, rows.minima.shape[-1]).reshape(*parts.shape[:2], -1)
        parts[..., data_format.minimum_offset :] = minima
    packed[..., : data_format.shared_offset] = parts.reshape(tiles, blocks, -1)
    shared = [_transpose_tiles(values, 2).reshape(tiles, blocks, -1) for values in rows.shared]
    if shared:
        packed[..., data_format.shared_offset :] = np.concatenate(shared, axis=-1)


def _transpose_tiles(rows: Bytes, item_bytes: int) -> Bytes:
    """[n, …] rows to [n / 16, items, 16 columns, item_bytes]: the items of 16 rows side by side."""
    item = np.dtype(f"u{item_bytes}")
    items = np.ascontiguousarray(rows).reshape(len(rows), -1).view(item)
    tiles = items.reshape(-1, TILE_COLUMNS, items.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(tiles).view(np.uint8)


def _write_codes(data_format: Format, codes: Bytes, parts: Bytes) -> None:
    """Write code bytes [tiles, parts, 8 k-groups, 64] as nibbles or bytes, and their high bits."""
    if data_format.bits == 8:
        parts[..., : data_format.high_offset] = codes.reshape(*codes.shape[:2], -1)
        return
    nibbles = (codes[:, :, :4] & 15) | (codes[:, :, 4:] << 4)
    parts[..., : data_format.high_offset] = nibbles.reshape(*codes.shape[:2], -1)
    planes = data_format.bits - 4
    for row in range(planes):
        groups = 8 // planes
        high = np.zeros((*codes.shape[:2], CODE_ROW_BYTES), np.uint8)
        for group in range(groups):
            high |= (codes[:, :, row * groups + group] >> 4) << (planes * group)
        offset = data_format.high_offset + row * CODE_ROW_BYTES
        parts[..., offset : offset + CODE_ROW_BYTES] = high
