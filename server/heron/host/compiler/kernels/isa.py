"""Instruction sets: what the kernels need from a processor, behind one small interface.

A kernel works on vectors of `lanes` output columns. `dot` multiplies unsigned weight codes with signed activation
codes, four k at a time for each column, and adds them up in int32. All three sets give the same integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.vector import Expr, as_type, constant, half_bits_to_float, splat, to_type

_INT16_MAX = 32767


class InstructionSet(Protocol):
    """What a family of processors offers to the kernels.

    `lanes`: int32 lanes of a register. `row_tiles`: rows of a GEMM tile, largest first, down to 1; what is left of a
    batch goes to the smallest that holds it, so neighbours differ by at most `SPARE_ROWS` + 1. `byte_zero_point`: what
    8-bit codes are still offset by after `dot`; 0 where `dot` takes the 128 off itself.
    """

    @property
    def name(self) -> str: ...
    @property
    def lanes(self) -> int: ...
    @property
    def row_tiles(self) -> tuple[int, ...]: ...
    @property
    def byte_zero_point(self) -> int: ...

    def dot(self, codes: Sequence[Expr], words: Sequence[Expr], bits: int, start: Expr) -> Expr:
        """start + Σ codes·words: int32 lanes.

        `codes[j]`: uint8, 4 for each lane, below 2**bits; `words[j]`: int32 scalar holding four int8 in [-127, 127].
        """
        ...

    def half_to_float(self, bits: Expr) -> Expr:
        """float32 lanes from IEEE half bits (uint16 lanes)."""
        ...


@dataclass(frozen=True, slots=True)
class Avx512Vnni:
    """AVX-512 with VNNI: `vpdpbusd` on 512-bit registers."""

    name: str = "avx512-vnni"
    lanes: int = 16
    row_tiles: tuple[int, ...] = (12, 10, 8, 6, 4, 2, 1)
    byte_zero_point: int = 128

    def dot(self, codes: Sequence[Expr], words: Sequence[Expr], bits: int, start: Expr) -> Expr:
        total = start
        for code, word in zip(codes, words, strict=True):
            activation = as_type(splat(word, 16), "int8", 64)
            total = T.call_llvm_pure_intrin("int32x16", "llvm.x86.avx512.vpdpbusd.512", total, code, activation)
        return total

    def half_to_float(self, bits: Expr) -> Expr:
        return to_type(as_type(bits, "float16", 16), "float32", 16)


@dataclass(frozen=True, slots=True)
class Avx2:
    """AVX2 and F16C: `vpmaddubsw` adds two products in int16 and saturates, so sums are widened in time."""

    name: str = "avx2"
    lanes: int = 8
    row_tiles: tuple[int, ...] = (6, 4, 2, 1)
    byte_zero_point: int = 0

    def dot(self, codes: Sequence[Expr], words: Sequence[Expr], bits: int, start: Expr) -> Expr:
        total = start
        run = _pairs_in_int16(bits)
        for first in range(0, len(codes), run):
            pairs = zip(codes[first : first + run], words[first : first + run], strict=True)
            narrow = [self._multiply_pairs(code, as_type(splat(word, 8), "int8", 32), bits) for code, word in pairs]
            widened = T.call_llvm_pure_intrin(
                "int32x8", "llvm.x86.avx2.pmadd.wd", _add_up(narrow), constant(1, "int16", 16)
            )
            total = total + widened
        return total

    def _multiply_pairs(self, code: Expr, activation: Expr, bits: int) -> Expr:
        if bits == 8:  # |code - 128| times the activation with the sign moved over: 2 * 128 * 127 fits in int16
            signed = T.Bind(as_type(T.bitwise_xor(code, constant(128, "uint8", 32)), "int8", 32))
            code = as_type(T.call_llvm_pure_intrin("int8x32", "llvm.x86.avx2.psign.b", signed, signed), "uint8", 32)
            activation = T.call_llvm_pure_intrin("int8x32", "llvm.x86.avx2.psign.b", activation, signed)
        return T.call_llvm_pure_intrin("int16x16", "llvm.x86.avx2.pmadd.ub.sw", code, activation)

    def half_to_float(self, bits: Expr) -> Expr:
        return to_type(as_type(bits, "float16", 8), "float32", 8)


@dataclass(frozen=True, slots=True)
class Portable:
    """Any processor with 128-bit vectors: plain int16 and int32 arithmetic, halfs by integer operations."""

    name: str = "portable"
    lanes: int = 4
    row_tiles: tuple[int, ...] = (4, 2, 1)
    byte_zero_point: int = 0

    def dot(self, codes: Sequence[Expr], words: Sequence[Expr], bits: int, start: Expr) -> Expr:
        total = start
        run = _pairs_in_int16(bits)
        for first in range(0, len(codes), run):
            pairs = zip(codes[first : first + run], words[first : first + run], strict=True)
            narrow = T.Bind(as_type(_add_up([self._multiply_pairs(*pair, bits) for pair in pairs]), "int32", 4))
            sixteen = constant(16, "int32", 4)
            total = total + T.shift_right(T.shift_left(narrow, sixteen), sixteen) + T.shift_right(narrow, sixteen)
        return total

    def _multiply_pairs(self, code: Expr, word: Expr, bits: int) -> Expr:
        """int16 sums of the products of even and odd bytes."""
        activation = T.Bind(as_type(splat(word, 4), "int16", 8))
        weights = T.Bind(as_type(code, "int16", 8))
        eight = constant(8, "int16", 8)
        if bits == 8:
            weights = T.Bind(as_type(T.bitwise_xor(code, constant(128, "uint8", 16)), "int16", 8))
            even = T.shift_right(T.shift_left(weights, eight), eight)
        else:
            even = T.bitwise_and(weights, constant(255, "int16", 8))
        odd = T.shift_right(weights, eight)
        return even * T.shift_right(T.shift_left(activation, eight), eight) + odd * T.shift_right(activation, eight)

    def half_to_float(self, bits: Expr) -> Expr:
        return half_bits_to_float(bits, 4)


def instruction_set(name: str) -> InstructionSet:
    """The instruction set of that name: avx512-vnni, avx2 or portable; KeyError for another."""
    known: tuple[InstructionSet, ...] = (Avx512Vnni(), Avx2(), Portable())
    return {item.name: item for item in known}[name]


def _pairs_in_int16(bits: int) -> int:
    """How many sums of two products of codes with activations fit in int16 together."""
    largest = (1 << bits) - 1 if bits < 8 else 128
    return min(8, _INT16_MAX // (2 * largest * 127))


def _add_up(values: Sequence[Expr]) -> Expr:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
