"""Packed rows give back the weights they came from, alone and joined with another format."""

from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
import pytest

from heron.errors import UnsupportedModel
from heron.host.compiler.gpu.formats import GroupFormat, join_formats, padded_rows
from heron.host.compiler.gpu.pack import PackedRows, pack_rows

Floats = npt.NDArray[np.float32]
SHARED_HALVES = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


@dataclass(frozen=True)
class Rows:
    name: str
    type_name: str
    shape: tuple[int, ...]
    data: Any


def random_rows(type_name: str, num_rows: int, inner: int, seed: int = 0) -> Rows:
    random, kind = np.random.default_rng(seed), gguf.GGMLQuantizationType[type_name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    if type_name not in SHARED_HALVES:
        values = random.standard_normal((num_rows, inner)).astype(np.float32)
        return Rows("linear", type_name, (num_rows, inner), gguf.quants.quantize(values, kind))
    raw = random.integers(0, 256, (num_rows, inner // block, size), np.uint8)
    for offset in SHARED_HALVES[type_name]:
        scales = (random.random(raw.shape[:2]) * 0.01 + 0.01).astype(np.float16)
        raw[..., offset : offset + 2] = scales[..., None].view(np.uint8)
    return Rows("linear", type_name, (num_rows, inner), raw.reshape(num_rows, -1))


def dequantise(rows: Rows) -> Floats:
    values: Floats = gguf.quants.dequantize(rows.data, gguf.GGMLQuantizationType[rows.type_name])
    return values.reshape(rows.shape)


def unpack(packed: PackedRows) -> Floats:
    """The weights, read by the layout `cuda/formats.py` describes."""
    joined, (num_rows, parts) = packed.format, packed.codes.shape[:2]
    words = packed.codes.view(np.uint8).reshape(num_rows, parts, joined.code_words, 4)
    if joined.bits == 8:
        codes = words.view(np.int8).astype(np.int32)
    else:
        codes = np.concatenate([words & 15, words >> 4], axis=2).astype(np.int32)
    if packed.high is not None:
        high = packed.high.view(np.uint8).reshape(num_rows, parts, joined.high_words, 4)
        for index in range(8):
            row, position = divmod(index, 8 // joined.high_words)
            bits = (high[:, :, row] >> (joined.high_words * position)) & (2**joined.high_words - 1)
            codes[:, :, index] |= bits.astype(np.int32) << 4
    scales, codes = packed.scales.astype(np.float32), codes.reshape(num_rows, -1, joined.group_k)
    if packed.offsets is not None:
        weights = scales[..., None] * codes + packed.offsets.astype(np.float32)[..., None]
    else:
        weights = scales[..., None] * (codes - joined.zero_point)
    return weights.reshape(num_rows, -1)


@pytest.mark.parametrize("type_name", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"])
def test_unpacking_gives_the_weights_back(type_name: str) -> None:
    rows = random_rows(type_name, 100, 512)
    unpacked, expected = unpack(pack_rows([rows])), dequantise(rows)
    assert unpacked.shape == (128, 512)
    tolerance = 1e-3 if type_name in SHARED_HALVES else 1e-6  # sub-scales are folded to halves
    assert np.abs(unpacked[:100] - expected).max() <= tolerance * np.abs(expected).max()
    assert not unpacked[100:].any()


@pytest.mark.parametrize(
    ("types", "joined"),
    [
        (("Q5_0", "Q5_0", "Q8_0"), GroupFormat(8, 32, 0, False)),
        (("Q4_K", "Q4_K", "Q6_K"), GroupFormat(6, 16, 0, True)),
        (("Q4_0", "Q5_0"), GroupFormat(5, 32, 0, True)),
        (("Q4_1", "Q8_0"), GroupFormat(8, 32, 0, True)),
    ],
)
def test_tensors_of_several_types_become_one_linear(types: tuple[str, ...], joined: GroupFormat) -> None:
    tensors = [random_rows(name, 64, 256, seed) for seed, name in enumerate(types)]
    packed = pack_rows(tensors)
    expected = np.concatenate([dequantise(rows) for rows in tensors])
    assert packed.format == joined
    assert np.abs(unpack(packed) - expected).max() <= 2e-3 * np.abs(expected).max()


def test_more_rows_than_a_slab() -> None:
    rows = random_rows("Q8_0", 5000, 64)
    assert np.allclose(unpack(pack_rows([rows]))[:5000], dequantise(rows), atol=1e-6)


@pytest.mark.parametrize("type_name", ["F16", "BF16", "F32"])
def test_plain_numbers_are_rounded_to_8_bits_of_their_groups_largest(type_name: str) -> None:
    rows = random_rows(type_name, 70, 256)
    rows.data[:1] = 0
    packed, expected = pack_rows([rows, random_rows("Q4_0", 64, 256)]), dequantise(rows)
    assert packed.format == GroupFormat(8, 32, 0, False)
    largest = np.abs(expected.reshape(70, -1, 32)).max(axis=-1).repeat(32, axis=-1)
    assert (np.abs(unpack(packed)[:70] - expected) <= 0.0045 * largest).all()


def test_tensors_of_unknown_types_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedModel, match="IQ2_XS"):
        join_formats(["Q8_0", "IQ2_XS"])


def test_rows_fill_whole_blocks() -> None:
    assert [padded_rows(rows) for rows in (1, 64, 65)] == [64, 64, 128]
