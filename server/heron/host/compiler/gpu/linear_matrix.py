"""Linear layers for many tokens: int8 tensor cores on blocks of 64 tokens and 64 rows of weights.

A step takes 128 k: the block unpacks the weights' codes to bytes in shared memory, beside the activations' codes; each
of eight warps multiplies 16 tokens with 32 rows (`mma.m16n8k32`, or two `k16` where 16 values share a scale), and the
integer products are scaled and added up in float32. The next step's data is loaded while this one's is multiplied.
Products start from a number whose bits make the integer sum, read as a float, that sum plus 1.5 * 2**23: taking this
off is cheaper than converting. On Metal, which has no such instruction on bytes, each lane multiplies the rows whose
sums it holds anyway, byte by byte.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import QuantBuffers, declare_quantised
from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    build_kernel,
    copy_words,
    dot_bytes,
    launch,
    on_metal,
    put,
    registers,
    shared,
    synchronize,
    unpack_codes,
)
from heron.host.compiler.gpu.formats import ROW_TILE, GroupFormat
from heron.host.compiler.gpu.shapes import MATRIX_TOKENS, MAX_TOKENS, LinearShape
from heron.host.compiler.gpu.weights import Weights, declare_weights

_THREADS = 256
_STEP_GROUPS = 4  # groups of 32 k a step
_STEP_WORDS = 8 * _STEP_GROUPS
_SUMS = MATRIX_TOKENS * ROW_TILE // _THREADS
_MAGIC, _MAGIC_BITS = 12582912.0, 0x4B400000  # 1.5 * 2**23
_ROW_WORDS = _STEP_WORDS + 4  # a row of codes in shared memory; the pad spreads rows over the banks
_MMA = """
__forceinline__ __device__ void heron_mma_s8_k{k}(int* d, {arguments}) {{
  asm volatile("mma.sync.aligned.m16n8k{k}.row.col.s32.s8.s8.s32 "
    "{{%0,%1,%2,%3}}, {{{a}}}, {{{b}}}, {{%{z},%{z},%{z},%{z}}};"
    : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]) : {inputs}, "r"({start}));
}}
"""


@dataclass(frozen=True, slots=True)
class _Tiles:
    """A step's data in shared memory, by token or row of weights. Codes are flat: TVM would cut off the pad."""

    inputs: Any
    input_numbers: Any
    """(scale, sum) by group of k that shares a scale, then token"""
    weights: Any
    numbers: Any
    """(scale, offset), or scales alone, by group of k that shares a scale, then row"""


@dataclass(frozen=True, slots=True)
class _Loads:
    """What one thread loads for a step: two parts of the inputs, one group of the weights, and their numbers."""

    inputs: Any
    numbers: Any
    codes: Any
    high: Any
    halves: Any


@dataclass(frozen=True, slots=True)
class _Block:
    """A block's place and arguments; `row` and `group` are those of the weights this thread loads."""

    shape: LinearShape
    source: QuantBuffers
    weights: Weights
    first_token: Expr
    first_row: Expr
    thread: Expr

    @property
    def format(self) -> GroupFormat:
        return self.shape.format

    @property
    def row(self) -> Expr:
        return self.thread // _STEP_GROUPS

    @property
    def group(self) -> Expr:
        return self.thread % _STEP_GROUPS


def linear_matrix(shape: LinearShape) -> Any:
    """PrimFunc `(blocks, codes, scales, sums, weights…, [bias,] out)` for blocks * 64 tokens, as `linear_vector`."""
    steps = -(-shape.inner // (32 * _STEP_GROUPS))

    def emit() -> None:
        blocks = T.arg("blocks", T.int32())
        source = declare_quantised(shape.inner)
        weights = declare_weights(shape.format, shape.rows, shape.inner)
        bias = argument("bias", (shape.rows,), "float32") if shape.epilogue == "bias" else None
        out = argument("out", (MAX_TOKENS, shape.rows), "float32")
        with launch([shape.rows // ROW_TILE, blocks], _THREADS) as (column, line, thread):
            block = _Block(shape, source, weights, T.Bind(line * MATRIX_TOKENS), T.Bind(column * ROW_TILE), thread)
            tiles, loads, sums = (
                _allocate_tiles(shape.format),
                _allocate_loads(shape.format),
                registers(_SUMS, "float32"),
            )
            for index in range(_SUMS):
                put(sums, T.float32(0), index)
            _load(block, loads, 0)
            with T.serial(0, steps) as step:
                _share(block, loads, tiles)
                synchronize()
                _load(block, loads, T.Bind(T.min(step + 1, steps - 1)))
                _multiply_step(block, tiles, sums)
                synchronize()
            _write(shape, block, sums, (bias, out))

    return build_kernel(f"linear_{shape.name}_matrix", emit)


def _allocate_tiles(data_format: GroupFormat) -> _Tiles:
    scales = _STEP_GROUPS * data_format.groups
    return _Tiles(
        shared([MATRIX_TOKENS * _ROW_WORDS], "int32"),
        shared([scales * MATRIX_TOKENS * 2], "float32"),
        shared([ROW_TILE * _ROW_WORDS], "int32"),
        shared([scales * ROW_TILE * _numbers_a_row(data_format)], "float32"),
    )


def _numbers_a_row(data_format: GroupFormat) -> int:
    return 2 if data_format.has_offset else 1


def _allocate_loads(data_format: GroupFormat) -> _Loads:
    return _Loads(
        registers(8, "int32"),
        registers(3, "float32"),
        registers(data_format.code_words, "int32"),
        registers(max(1, data_format.high_words), "int32"),
        registers(2 * data_format.groups, "float16"),
    )


def _load(block: _Block, loads: _Loads, step: Expr) -> None:
    """Load this thread's share of a step into registers; beyond the last group, weights with a scale of zero."""
    for index in range(2):
        token, part = _input_part(block, index)
        word = T.Bind(T.min(step * _STEP_WORDS + part * 4, block.shape.inner // 4 - 4))
        T.buffer_store(
            loads.inputs, block.source.codes[block.first_token + token, T.Ramp(word, 1, 4)], [T.Ramp(index * 4, 1, 4)]
        )
    wanted = T.Bind(step * _STEP_GROUPS + block.group)
    group = T.Bind(T.min(wanted, block.shape.inner // 32 - 1))
    token, row, weights = block.first_token + block.row, block.first_row + block.row, block.weights
    put(loads.numbers, block.source.scales[token, group], 0)
    for index in range(2):
        put(loads.numbers, block.source.sums[token, group * 2 + index], index + 1)
    copy_words(loads.codes, weights.codes, [row, group, 0], block.format.code_words)
    if weights.high is not None:
        copy_words(loads.high, weights.high, [row, group, 0], block.format.high_words)
    groups, nothing = block.format.groups, T.float16(0)
    for index in range(groups):
        place = (row, group * groups + index)
        put(loads.halves, T.Select(wanted == group, weights.scales[place], nothing), index)
        if weights.offsets is not None:
            put(loads.halves, T.Select(wanted == group, weights.offsets[place], nothing), groups + index)


def _input_part(block: _Block, index: int) -> tuple[Expr, Expr]:
    """Token, and which 16 bytes of its 128, of the part `index` this thread loads."""
    place = block.thread + _THREADS * index
    return place // (_STEP_WORDS // 4), place % (_STEP_WORDS // 4)


def _share(block: _Block, loads: _Loads, tiles: _Tiles) -> None:
    """Write what this thread loaded to shared memory, weights unpacked."""
    for index in range(2):
        token, part = _input_part(block, index)
        for word in range(4):
            put(tiles.inputs, loads.inputs[index * 4 + word], token * _ROW_WORDS + part * 4 + word)
    row, group, groups = block.row, block.group, block.format.groups
    count = _numbers_a_row(block.format)
    for index in range(groups):
        summed = loads.numbers[index + 1] if groups == 2 else loads.numbers[1] + loads.numbers[2]
        place = T.Bind((group * groups + index) * MATRIX_TOKENS + row)
        put(tiles.input_numbers, loads.numbers[0], place * 2)
        put(tiles.input_numbers, summed, place * 2 + 1)
        put(tiles.numbers, T.Cast("float32", loads.halves[index]), place * count)
        if block.format.has_offset:
            put(tiles.numbers, T.Cast("float32", loads.halves[groups + index]), place * count + 1)
    for index, word in enumerate(unpack_codes(block.format, loads.codes, loads.high)):
        put(tiles.weights, _centre(word, block.format.zero_point), row * _ROW_WORDS + group * 8 + index)


def _centre(word: Expr, zero_point: int) -> Expr:
    """Each byte less the zero point; bytes are below 128, so that setting their top bit stops borrows."""
    if not zero_point:
        return word
    top, centre = T.reinterpret("int32", T.uint32(0x80808080)), T.int32(zero_point * 0x01010101)
    return T.bitwise_xor(T.bitwise_or(word, top) - centre, top)


def _multiply_step(block: _Block, tiles: _Tiles, sums: Any) -> None:
    """Add a step's groups of 32 k to the sums."""
    if on_metal():
        with T.serial(0, _STEP_GROUPS) as place:
            _multiply_plain(block, tiles, sums, place)
    else:
        for group in range(_STEP_GROUPS):
            _multiply(block, tiles, sums, group)


def _multiply(block: _Block, tiles: _Tiles, sums: Any, group: int) -> None:
    """Add one group of 32 k to the warp's 16 x 32 sums."""
    lane, (first_token, first_row) = block.thread % WARP, _warp_place(block)
    word = T.Bind(lane % 4 + group * 8)
    lines = [T.Bind(first_token + lane // 4 + half * 8) for half in range(2)]
    inputs = [T.Bind(tiles.inputs[line * _ROW_WORDS + word + 4 * k]) for k in range(2) for line in lines]
    numbers = [_load_numbers(tiles.input_numbers, _scale_places(block, group), line, 2) for line in lines]
    for column in range(4):
        row = T.Bind(first_row + column * 8 + lane // 4)
        weights = [T.Bind(tiles.weights[row * _ROW_WORDS + word + 4 * k]) for k in range(2)]
        side, count = T.Bind(first_row + column * 8 + (lane % 4) * 2), _numbers_a_row(block.format)
        sides = _load_numbers(tiles.numbers, _scale_places(block, group), side, count, 2)
        for part, products in enumerate(_products(block.format, inputs, weights)):
            for index in range(4):
                row_numbers = sides[part][index % 2 * count : (index % 2 + 1) * count]
                value = _scale(products[index], numbers[index // 2][part], row_numbers)
                put(sums, sums[column * 4 + index] + value, column * 4 + index)


def _multiply_plain(block: _Block, tiles: _Tiles, sums: Any, group: Expr) -> None:
    """As `_multiply`, without `mma`: each lane multiplies the two tokens and eight rows whose sums it holds."""
    lane, (first_token, first_row) = block.thread % WARP, _warp_place(block)
    lines = [T.Bind(first_token + lane // 4 + half * 8) for half in range(2)]
    rows = [T.Bind(first_row + column * 8 + lane % 4 * 2 + side) for column in range(4) for side in range(2)]
    for part in range(block.format.groups):
        places = [group * block.format.groups + part]
        products = _plain_products(block, tiles, (lines, rows), (group, part))
        inputs = [_load_numbers(tiles.input_numbers, places, line, 2)[0] for line in lines]
        for index, row in enumerate(rows):
            numbers = _load_numbers(tiles.numbers, places, row, _numbers_a_row(block.format))[0]
            for half in range(2):
                value = _scale(T.Cast("float32", products[half * len(rows) + index]), inputs[half], numbers)
                place = index // 2 * 4 + half * 2 + index % 2
                put(sums, sums[place] + value, place)


def _plain_products(block: _Block, tiles: _Tiles, lines: tuple[list[Expr], list[Expr]], place: tuple[Expr, int]) -> Any:
    """Registers with the products of each token with each row over one part of a group, token by token."""
    (tokens, rows), (group, part), words = lines, place, 8 // block.format.groups
    products = registers(len(tokens) * len(rows), "int32")
    for index in range(len(tokens) * len(rows)):
        put(products, T.int32(0), index)
    with T.serial(0, words) as word:
        column = T.Bind(group * 8 + part * words + word)
        inputs = [T.Bind(tiles.inputs[line * _ROW_WORDS + column]) for line in tokens]
        weights = [T.Bind(tiles.weights[row * _ROW_WORDS + column]) for row in rows]
        for index, (left, right) in enumerate(product(inputs, weights)):
            put(products, products[index] + dot_bytes([left], [right]), index)
    return products


def _scale_places(block: _Block, group: int) -> range:
    """Which scales of a step belong to group `group` of 32 k."""
    return range(group * block.format.groups, (group + 1) * block.format.groups)


def _load_numbers(buffer: Any, places: Iterable[Expr], first: Expr, count: int, items: int = 1) -> list[list[Expr]]:
    """`count` numbers of `items` neighbouring tokens or rows from `first` on, for each of the scales `places`."""
    loaded = []
    for place in places:
        values = registers(count * items, "float32")
        copy_words(values, buffer, [(first + place * ROW_TILE) * count], count * items)
        loaded.append([values[index] for index in range(count * items)])
    return loaded


def _warp_place(block: _Block) -> tuple[Expr, Expr]:
    """First token and first row of weights of this thread's warp, within the block."""
    warp = block.thread // WARP
    return T.Bind((warp // 2) * 16), T.Bind((warp % 2) * 32)


def _scale(product: Expr, inputs: list[Expr], row: list[Expr]) -> Expr:
    """What a sum of products stands for, by (scale, sum) of the inputs and the weights' (scale[, offset])."""
    value = product * inputs[0] * row[0]
    return value + row[1] * inputs[1] if len(row) == 2 else value


def _products(data_format: GroupFormat, inputs: list[Expr], weights: list[Expr]) -> Iterator[list[Expr]]:
    """Four sums of products, float32, for each scale of a group."""
    if data_format.groups == 1:
        yield _mma(32, inputs, weights)
    else:
        for half in range(2):
            yield _mma(16, inputs[2 * half : 2 * half + 2], weights[half : half + 1])


def _mma(k: int, inputs: list[Expr], weights: list[Expr]) -> list[Expr]:
    """Products of 16 tokens with 8 rows over k (PTX ISA, `mma.m16n8k16` and `mma.m16n8k32`, s8)."""
    products = registers(4, "int32")
    operands = [*inputs, *weights]
    names = [f"x{index}" for index in range(len(operands))]
    slots = [f"%{index + 4}" for index in range(len(operands))]
    source = _MMA.format(
        k=k,
        arguments=", ".join(f"int {name}" for name in names),
        a=",".join(slots[: len(inputs)]),
        b=",".join(slots[len(inputs) :]),
        z=len(operands) + 4,
        start=_MAGIC_BITS,
        inputs=", ".join(f'"r"({name})' for name in names),
    )
    pointer = T.address_of(products[0])
    T.evaluate(T.cuda.func_call(f"heron_mma_s8_k{k}", pointer, *operands, source_code=source))
    return [T.reinterpret("float32", products[index]) - T.float32(_MAGIC) for index in range(4)]


def _write(shape: LinearShape, block: _Block, sums: Any, buffers: tuple[Any, Any]) -> None:
    bias, out = buffers
    lane, (token, row) = block.thread % WARP, _warp_place(block)
    first_token = T.Bind(block.first_token + token + lane // 4)
    first_row = T.Bind(block.first_row + row + (lane % 4) * 2)
    for column in range(4):
        for index in range(4):
            place = (first_token + (index // 2) * 8, first_row + column * 8 + index % 2)
            value = sums[column * 4 + index]
            if shape.epilogue == "bias":
                value = value + bias[place[1]]
            elif shape.epilogue == "residual":
                value = value + out[place]
            put(out, value, *place)
