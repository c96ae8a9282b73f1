"""Attention over pages against numpy in float64, on every instruction set this machine runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tvm

from heron.errors import InvalidSettings
from heron.host.compiler.kernels.attention import attention
from heron.host.compiler.kernels.pages import PAGE_SIZE, SEGMENT_KEYS, AttentionShape
from heron.host.compiler.kernels.tiles import count_partials, plan_tiles, split_tiles
from heron.host.compiler.target import CpuTarget, choose_target
from heron.settings import EngineSettings

LANES = {"avx512-vnni": 16, "avx2": 8, "portable": 4}
LAYER = 1
WINDOW = 37
"""of the shapes that have one"""


@dataclass(frozen=True)
class Inputs:
    q: npt.NDArray[np.float32]
    keys: npt.NDArray[Any]
    values: npt.NDArray[Any]
    positions: npt.NDArray[np.int32]
    query_starts: npt.NDArray[np.int32]
    page_table: npt.NDArray[np.int32]


def target_of(name: Any) -> CpuTarget:
    try:
        return choose_target(EngineSettings(instruction_set=name))
    except InvalidSettings as error:
        pytest.skip(str(error))


def compile_kernel(function: Any, target: CpuTarget) -> Any:
    name = str(function.attrs["global_symbol"])
    return tvm.compile(tvm.IRModule({name: function}), target=tvm.target.Target(target.tvm_attributes())).jit()[name]


@pytest.fixture(
    scope="module",
    params=[("avx512-vnni", 14, 2, 64, {}), ("avx512-vnni", 12, 2, 128, {}), ("avx512-vnni", 3, 3, 64, {}),
            ("avx2", 9, 3, 64, {}), ("avx2", 4, 1, 128, {}), ("portable", 6, 2, 64, {}), ("portable", 2, 2, 128, {}),
            ("avx512-vnni", 4, 1, 256, {"has_windows": True}), ("avx512-vnni", 4, 2, 80, {"softcap": 2.0}),
            ("avx2", 2, 2, 96, {"has_windows": True, "softcap": 2.0}), ("portable", 2, 1, 112, {"softcap": 2.0})],
    ids=lambda param: "-".join(map(str, param[:4])),
)  # fmt: skip
def kernel(request: pytest.FixtureRequest) -> tuple[AttentionShape, Any]:
    name, heads, kv_heads, size, traits = request.param
    target = target_of(name)
    shape = AttentionShape(heads, kv_heads, size, LANES[name], target.cache_dtype, **traits)
    return shape, compile_kernel(attention(shape), target)


def make_inputs(shape: AttentionShape, lengths: list[int], past: list[int], seed: int = 0) -> Inputs:
    """Random tensors for sequences of `past` cached and `lengths` new tokens; what is not theirs is not a number."""
    random = np.random.default_rng(seed)
    totals = [new + old for new, old in zip(lengths, past, strict=True)]
    pages = [-(-total // PAGE_SIZE) for total in totals]
    width, num_pages = max(pages) + 1, sum(pages) + 2
    free = iter(random.permutation(np.arange(1, num_pages)))
    table = np.zeros((len(lengths), width), np.int32)
    keys = np.full((2, num_pages, shape.num_kv_heads, shape.head_size, PAGE_SIZE), np.nan, shape.cache_dtype)
    values = np.full((2, num_pages, shape.num_kv_heads, PAGE_SIZE, shape.head_size), np.nan, shape.cache_dtype)
    for row, (count, total) in enumerate(zip(pages, totals, strict=True)):
        table[row, :count] = [next(free) for _ in range(count)]
        for position in range(total):
            page, offset = table[row, position // PAGE_SIZE], position % PAGE_SIZE
            keys[LAYER, page, :, :, offset] = random.standard_normal((shape.num_kv_heads, shape.head_size))
            values[LAYER, page, :, offset] = random.standard_normal((shape.num_kv_heads, shape.head_size))
    positions = np.concatenate([np.arange(old, old + new) for new, old in zip(lengths, past, strict=True)])
    q = random.standard_normal((sum(lengths), shape.num_heads * shape.head_size)) * 0.3
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Inputs(q.astype(np.float32), keys, values, positions.astype(np.int32), starts.astype(np.int32), table)


def run(shape: AttentionShape, function: Any, inputs: Inputs, threads: int = 1) -> npt.NDArray[np.float32]:
    """Attention, cut as for so many threads."""
    tiles = plan_tiles(inputs.query_starts, inputs.positions, shape.tile_tokens)
    tiles = split_tiles(shape, tiles, threads)
    rows = count_partials(shape, int(inputs.positions.max()) + 1, threads)
    partials = np.full((shape.num_kv_heads, rows, shape.state_width), np.nan, np.float32)
    pools = [pool.reshape(*pool.shape[:3], shape.page_items) for pool in (inputs.keys, inputs.values)]
    arrays = [inputs.q, *pools, inputs.positions, tiles, inputs.page_table, partials]
    out = tvm.runtime.tensor(np.full_like(inputs.q, np.nan))
    window = [WINDOW] if shape.has_windows else []
    function(*map(tvm.runtime.tensor, arrays), LAYER, *window, out)
    result: npt.NDArray[np.float32] = out.numpy()
    return result


def expected(shape: AttentionShape, inputs: Inputs) -> npt.NDArray[np.float64]:
    out = np.empty(inputs.q.shape)
    for row in range(len(inputs.page_table)):
        for token in range(inputs.query_starts[row], inputs.query_starts[row + 1]):
            count = inputs.positions[token] + 1
            first = max(0, count - WINDOW) if shape.has_windows else 0
            pages = inputs.page_table[row, : -(-count // PAGE_SIZE)]
            for head in range(shape.num_heads):
                columns = slice(head * shape.head_size, (head + 1) * shape.head_size)
                place = LAYER, pages, head // shape.group
                keys = inputs.keys[place].astype(np.float64).transpose(0, 2, 1).reshape(-1, shape.head_size)[:count]
                values = inputs.values[place].astype(np.float64).reshape(-1, shape.head_size)[:count]
                scores = keys[first:] @ inputs.q[token, columns]
                scores = cap_scores(shape, scores)
                weights = np.exp(scores - scores.max())
                out[token, columns] = weights @ values[first:] / weights.sum()
    return out


def cap_scores(shape: AttentionShape, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return shape.softcap * np.tanh(scores / shape.softcap) if shape.softcap else scores


@pytest.mark.parametrize(
    ("lengths", "past"),
    [
        ([1], [0]),
        ([1], [15]),
        ([1], [16]),
        ([5], [0]),
        ([33], [0]),
        ([1, 1, 1], [3, 31, 200]),
        ([17, 40, 1], [0, 30, 70]),
        ([100], [133]),
        ([2], [1100]),
    ],
)
def test_agrees_with_numpy(kernel: tuple[AttentionShape, Any], lengths: list[int], past: list[int]) -> None:
    shape, function = kernel
    inputs = make_inputs(shape, lengths, past)
    np.testing.assert_allclose(run(shape, function, inputs), expected(shape, inputs), atol=2e-5)


def test_agrees_with_numpy_on_random_batches(kernel: tuple[AttentionShape, Any]) -> None:
    shape, function = kernel
    random = np.random.default_rng(1)
    for seed in range(4):
        count = int(random.integers(1, 5))
        lengths, past = random.integers(1, 40, count).tolist(), random.integers(0, 90, count).tolist()
        inputs = make_inputs(shape, lengths, past, seed)
        np.testing.assert_allclose(run(shape, function, inputs), expected(shape, inputs), atol=2e-5)


def test_a_token_gets_the_same_bits_alone_and_in_a_prompt(kernel: tuple[AttentionShape, Any]) -> None:
    shape, function = kernel
    inputs = make_inputs(shape, [90], [7])
    together = run(shape, function, inputs)
    for token in (0, 8, 9, 41, 89):
        alone = Inputs(
            inputs.q[token : token + 1], inputs.keys, inputs.values, inputs.positions[token : token + 1],
            np.array([0, 1], np.int32), inputs.page_table,
        )  # fmt: skip
        np.testing.assert_array_equal(run(shape, function, alone)[0], together[token])


def test_large_scores_do_not_overflow(kernel: tuple[AttentionShape, Any]) -> None:
    shape, function = kernel
    inputs = make_inputs(shape, [3], [80])
    loud = Inputs(inputs.q * 200, *(getattr(inputs, name) for name in list(Inputs.__dataclass_fields__)[1:]))
    np.testing.assert_allclose(run(shape, function, loud), expected(shape, loud), atol=1e-3)


@pytest.mark.parametrize("threads", [2, 3, 4, 8, 16])
def test_cutting_along_the_keys_for_more_threads_changes_no_bit(
    kernel: tuple[AttentionShape, Any], threads: int
) -> None:
    shape, function = kernel
    for lengths, past in (([1], [3 * SEGMENT_KEYS + 17]), ([1], [8 * SEGMENT_KEYS - 1]), ([3, 1], [700, 40])):
        inputs = make_inputs(shape, lengths, past)
        np.testing.assert_array_equal(run(shape, function, inputs, threads), run(shape, function, inputs))
