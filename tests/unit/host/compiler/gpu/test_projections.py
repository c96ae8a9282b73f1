"""What the kernels compute that join a norm, a linear and what follows it, emulated on the CPU from Metal's source."""

import platform
import shutil
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from heron.host.compiler.gpu.formats import join_formats
from heron.host.compiler.gpu.kernels import compile_metal_kernels
from heron.host.compiler.gpu.pack import pack_rows
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import (
    MAX_TOKENS,
    PLACES_SIZE,
    POSITIONS,
    SLOTS,
    VECTOR_TOKENS,
    DecoderShape,
    LinearShape,
)
from unit.host.compiler.gpu.metal_emulator import call, emulate_kernels
from unit.host.compiler.gpu.test_cuda_pack import random_rows, unpack

Float32 = npt.NDArray[np.float32]

SHAPE = DecoderShape(192, 128, 2, 4, 2, 64, 1e-6)
FORMAT = join_formats(["Q5_0"])
QKV = LinearShape(512, 192, FORMAT, "bias", "qkv")
GATE_UP = LinearShape(256, 192, FORMAT, "none", "gate_up")
PLAN = KernelPlan(SHAPE, FORMAT, 64, frozenset({QKV, GATE_UP}), 64)
LAYER, NUM_PAGES = 1, 3
SLOTS_OF = [5, 40, -1, 16, 17, 18, 2, 47]
POSITIONS_OF = [0, 9, -1, 3, 4, 5, 6, 30]

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or platform.machine() != "x86_64", reason="no g++ for x86-64 here: nothing was emulated"
)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return emulate_kernels(compile_metal_kernels(PLAN, in_host_memory=True), tmp_path_factory.mktemp("metal"))


class Case:
    """Random tokens, gains and weights, and what the linear makes of the quantised norm."""

    def __init__(self, linear: LinearShape) -> None:
        random = np.random.default_rng(9)
        self.x = random.standard_normal((MAX_TOKENS, SHAPE.hidden)).astype(np.float32) * 3
        self.gain = (1 + 0.3 * random.standard_normal(SHAPE.hidden)).astype(np.float32)
        self.bias = random.standard_normal(linear.rows).astype(np.float32)
        self.packed = pack_rows([random_rows("Q5_0", linear.rows, linear.inner)])

    def products(self, tokens: int) -> Float32:
        x = self.x[:tokens]
        scaled = (x * self.gain).reshape(tokens, -1, 32)
        scale = np.abs(scaled).max(-1, keepdims=True) / 127
        rounded = (np.rint(scaled / scale) * scale).reshape(tokens, -1)
        norm = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + SHAPE.epsilon)
        return np.asarray(rounded * norm @ unpack(self.packed).T, np.float32)


@pytest.mark.parametrize("tokens", [VECTOR_TOKENS[0], VECTOR_TOKENS[-1]])
def test_gate_up_is_normalized_activated_and_quantised(functions: Any, tokens: int) -> None:
    case, width = Case(GATE_UP), SHAPE.feed_forward
    codes = np.zeros((MAX_TOKENS, width // 4), np.int32)
    scales, sums = (np.zeros((MAX_TOKENS, width // part), np.float32) for part in (32, 16))
    project = functions[f"linear_{GATE_UP.name}_m{tokens}"]
    call(project, case.x, case.gain, *case.packed.arrays, codes, scales, sums)
    gate, up = np.split(case.products(tokens), 2, axis=1)
    expected = gate / (1 + np.exp(-gate)) * up
    found = codes[:tokens].view(np.int8).reshape(tokens, -1, 32) * scales[:tokens, :, None]
    peaks = np.abs(expected).reshape(tokens, -1, 32).max(-1)
    assert (np.abs(found.reshape(tokens, -1) - expected).reshape(tokens, -1, 32).max(-1) <= 0.0042 * peaks).all()
    assert np.allclose(found.reshape(tokens, -1, 16).sum(-1), sums[:tokens], rtol=1e-3, atol=1e-2)
    assert not codes[tokens:].any()


@pytest.mark.parametrize("tokens", [VECTOR_TOKENS[0], VECTOR_TOKENS[-1]])
def test_qkv_is_normalized_rotated_and_appended(functions: Any, tokens: int) -> None:
    case, random = Case(QKV), np.random.default_rng(10)
    angles = random.random((64, SHAPE.head_size // 2)) * 6
    rotation = np.concatenate([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    places = np.zeros(PLACES_SIZE, np.int32)
    places[SLOTS : SLOTS + 8], places[POSITIONS : POSITIONS + 8] = SLOTS_OF, POSITIONS_OF
    pool = (SHAPE.num_layers, NUM_PAGES, SHAPE.num_kv_heads, 16, SHAPE.head_size)
    keys, values = (np.full(pool, 7, np.float16) for _ in range(2))
    q = np.zeros((MAX_TOKENS, SHAPE.attended), np.float32)
    arrays = (places, case.x, case.gain, *case.packed.arrays, case.bias, rotation, keys, values, q)
    call(functions[f"linear_{QKV.name}_m{tokens}"], LAYER, *arrays)
    heads = (case.products(tokens) + case.bias).reshape(tokens, -1, 64)
    rotated = rotate(heads[:, :6], rotation[np.maximum(POSITIONS_OF[:tokens], 0)])
    assert np.abs(q[:tokens] - rotated[:, :4].reshape(tokens, -1) / 8).max() <= 1e-4 * np.abs(rotated).max()
    wanted_keys, wanted_values = (np.full(pool, 7, np.float16) for _ in range(2))
    for token, slot in enumerate(SLOTS_OF[:tokens]):
        if slot >= 0:
            wanted_keys[LAYER, slot // 16, :, slot % 16] = rotated[token, 4:]
            wanted_values[LAYER, slot // 16, :, slot % 16] = heads[token, 6:]
    for found, wanted in ((keys, wanted_keys), (values, wanted_values)):
        assert np.allclose(found.astype(np.float32), wanted.astype(np.float32), rtol=2e-3, atol=2e-3)


def rotate(heads: Float32, rotation: Float32) -> Float32:
    """Heads [tokens, heads, 64] by the tokens' cosines and sines."""
    low, high = np.split(heads, 2, axis=2)
    cosine, sine = np.split(rotation[:, None], 2, axis=2)
    return np.concatenate([low * cosine - high * sine, high * cosine + low * sine], 2)
