"""Packing keeps every weight: unpacked by the layout's description, the tensor is what the gguf package makes of it."""

import numpy as np
import numpy.typing as npt
import pytest

from heron.errors import UnsupportedModel
from heron.host.compiler.kernels.formats import FloatFormat, Format, Segment
from heron.host.compiler.pack import pack_linear, plan_linear
from unit.host.compiler.kernels.samples import FLOATS, QUANTIZED, Tensor, dequantize, make_tensor

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def unpack(segment: Segment, packed: Bytes, inner: int) -> Floats:
    """Weights [N, K] from packed bytes, one value at a time in the words of `formats`."""
    if isinstance(segment.format, FloatFormat):
        return unpack_floats(segment.format, packed)[: segment.columns]
    tiles = [unpack_tile(segment.format, tile) for tile in packed]
    return np.concatenate(tiles)[: segment.columns, :inner]


def unpack_floats(data_format: FloatFormat, packed: Bytes) -> Floats:
    items = packed.view({"F16": np.float16, "BF16": np.uint16, "F32": np.float32}[data_format.name])
    if data_format.name == "BF16":
        items = (items.astype(np.uint32) << 16).view(np.float32)
    return items.reshape(len(packed), -1, 16).transpose(0, 2, 1).reshape(len(packed) * 16, -1).astype(np.float32)


def unpack_tile(data_format: Format, tile: Bytes) -> Floats:
    return np.concatenate([unpack_block(data_format, block) for block in tile], axis=1)


def unpack_block(data_format: Format, block: Bytes) -> Floats:
    parts = block[: data_format.shared_offset].reshape(-1, data_format.part_bytes)
    shared = block[data_format.shared_offset :].view(np.float16).astype(np.float32).reshape(-1, 16)
    return np.concatenate([unpack_part(data_format, part, shared) for part in parts], axis=1)


def unpack_part(data_format: Format, part: Bytes, shared: Floats) -> Floats:
    codes = unpack_codes(data_format, part).astype(np.float32) - data_format.zero_point
    scales = part[data_format.scale_offset : data_format.minimum_offset].reshape(data_format.groups, -1)
    minimum = part[data_format.minimum_offset :]
    if data_format.sub_scales == "none":
        factors = scales.copy().view(np.float16).astype(np.float32)
        added = minimum.copy().view(np.float16).astype(np.float32) if data_format.has_minimum else np.float32(0)
    else:
        factors = (
            scales.view(np.int8 if data_format.sub_scales == "signed" else np.uint8).astype(np.float32) * shared[0]
        )
        added = -(minimum.astype(np.float32) * shared[1]) if data_format.has_minimum else np.float32(0)
    return (codes * np.repeat(factors, data_format.group_k, axis=0) + added).T


def unpack_codes(data_format: Format, part: Bytes) -> Bytes:
    """Codes [32 k, 16 columns] of a part."""
    codes = np.zeros((32, 16), np.uint8)
    for k in range(32):
        group, place = k // 4, np.arange(16) * 4 + k % 4
        if data_format.bits == 8:
            codes[k] = part[group * 64 + place]
            continue
        codes[k] = (part[group % 4 * 64 + place] >> (4 * (group // 4))) & 15
        planes = data_format.bits - 4
        if planes:
            groups = 8 // planes
            high = part[data_format.high_offset + group // groups * 64 + place]
            codes[k] |= ((high >> (planes * (group % groups))) & ((1 << planes) - 1)) << 4
    return codes


@pytest.mark.parametrize("type_name", QUANTIZED + FLOATS)
def test_unpacking_gives_the_weights_back(type_name: str) -> None:
    tensor = make_tensor(type_name, 48, 512, np.random.default_rng(1))
    [(segment, packed)] = pack_linear([tensor])
    assert packed.shape == segment.format.packed_shape(48, 512)
    np.testing.assert_allclose(unpack(segment, packed, 512), dequantize(tensor), rtol=1e-6, atol=1e-12)


def test_an_unfilled_last_tile_and_many_slabs() -> None:
    tensor = make_tensor("Q4_0", 2 * 64 * 16 + 7, 32, np.random.default_rng(2))
    [(segment, packed)] = pack_linear([tensor])
    np.testing.assert_allclose(unpack(segment, packed, 32), dequantize(tensor), rtol=1e-6)
    assert not packed[-1].reshape(1, 288)[0, -18:].any()  # the scales of the missing columns are zero


def test_neighbours_of_one_type_are_one_segment() -> None:
    rng = np.random.default_rng(3)
    tensors = [make_tensor(*each, 64, rng) for each in (("Q5_0", 32), ("Q5_0", 16), ("Q8_0", 16), ("Q5_0", 16))]
    packed = pack_linear(tensors)
    assert [segment for segment, _ in packed] == plan_linear(tensors)
    assert [(segment.format.name, segment.columns) for segment, _ in packed] == [
        ("Q5_0", 48),
        ("Q8_0", 16),
        ("Q5_0", 16),
    ]
    first = np.concatenate([dequantize(tensor) for tensor in tensors[:2]])
    np.testing.assert_allclose(unpack(*packed[0], 64), first, rtol=1e-6)


def test_tensors_of_different_widths_are_refused() -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(ValueError, match="differ in width"):
        plan_linear([make_tensor("Q4_0", 16, 32, rng), make_tensor("Q4_0", 16, 64, rng)])


def test_unsupported_types_and_widths_are_named() -> None:
    with pytest.raises(UnsupportedModel, match="Q2_K is not supported"):
        plan_linear([Tensor("t", "Q2_K", (16, 256), np.zeros((16, 84), np.uint8))])
    with pytest.raises(UnsupportedModel, match="Tensor t: its width 40 is not a multiple of 32"):
        plan_linear([Tensor("t", "F16", (16, 40), np.zeros((16, 80), np.uint8))])
