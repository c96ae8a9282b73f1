"""Packed weights as kernel arguments: fetched into registers first, unpacked and multiplied later."""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.emit import Expr, argument, copy_words, dot_bytes, registers, unpack_codes
from heron.host.compiler.gpu.formats import GroupFormat


@dataclass(frozen=True, slots=True)
class Activation:
    """32 quantised values of a token: eight words of codes, their scale, and the sums of each half."""

    words: Any
    scale: Expr
    sums: Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """Registers for one group of 32 k of a row, as it lies in memory."""

    format: GroupFormat
    words: Any
    high: Any
    scales: Any
    offsets: Any

    def unpack(self) -> "Group":
        codes = [T.Bind(word) for word in unpack_codes(self.format, self.words, self.high)]
        offsets = self._halves(self.offsets) if self.format.has_offset else []
        return Group(self.format, codes, self._halves(self.scales), offsets)

    def _halves(self, buffer: Any) -> list[Expr]:
        return [T.Bind(T.Cast("float32", buffer[index])) for index in range(self.format.groups)]


@dataclass(frozen=True, slots=True)
class Group:
    """One group of 32 k of a row: eight words of codes, and the scales and offsets of its one or two parts."""

    format: GroupFormat
    codes: list[Expr]
    scales: list[Expr]
    offsets: list[Expr]

    def multiply(self, activation: Activation) -> Expr:
        """What the group adds to the product of its row with a token."""
        total: Expr = T.float32(0)
        step = 8 // self.format.groups
        inputs = [activation.words[index] for index in range(8)]
        for index in range(self.format.groups):
            part = slice(index * step, (index + 1) * step)
            products = T.Bind(dot_bytes(self.codes[part], inputs[part]))
            value = activation.scale * T.Cast("float32", products)
            total = total + self._scale(index, value, activation)
        return total

    def _scale(self, index: int, value: Expr, activation: Activation) -> Expr:
        sums = activation.sums
        summed = sums[index] if self.format.groups == 2 else sums[0] + sums[1]
        if self.format.has_offset:
            return self.scales[index] * value + self.offsets[index] * summed
        if self.format.zero_point:
            return self.scales[index] * (value - T.float32(self.format.zero_point) * summed)
        return self.scales[index] * value


@dataclass(frozen=True, slots=True)
class Weights:
    """The packed arrays of a linear or an embedding."""

    format: GroupFormat
    codes: Any
    high: Any
    scales: Any
    offsets: Any

    @property
    def group_words(self) -> int:
        """Registers that a fetched group takes."""
        numbers = self.format.groups * (2 if self.format.has_offset else 1)
        return self.format.code_words + self.format.high_words + -(-numbers // 2)

    def reserve(self) -> Fetched:
        """Registers for a group."""
        count, has_offset = self.format.groups, self.format.has_offset
        return Fetched(
            self.format,
            registers(self.format.code_words, "int32"),
            registers(max(1, self.format.high_words), "int32"),
            registers(count, "float16"),
            registers(count, "float16") if has_offset else None,
        )

    def fetch(self, to: Fetched, row: Expr, group: Expr) -> None:
        """Load a group."""
        copy_words(to.words, self.codes, [row, group, 0], self.format.code_words)
        if self.high is not None:
            copy_words(to.high, self.high, [row, group, 0], self.format.high_words)
        place = [row, group * self.format.groups]
        copy_words(to.scales, self.scales, place, self.format.groups)
        if self.offsets is not None:
            copy_words(to.offsets, self.offsets, place, self.format.groups)

    def load(self, row: Expr, group: Expr) -> list[Expr]:
        """Eight words of codes of one group of 32 k."""
        words = registers(self.format.code_words, "int32")
        copy_words(words, self.codes, [row, group, 0], self.format.code_words)
        high = registers(max(1, self.format.high_words), "int32")
        if self.high is not None:
            copy_words(high, self.high, [row, group, 0], self.format.high_words)
        return unpack_codes(self.format, words, high)

    def weigh(self, code: Expr, row: Expr, group: Expr, half: int) -> Expr:
        """The weight float32 of a code in half 0 or 1 of a group."""
        place = (row, group * self.format.groups + half * (self.format.groups - 1))
        scale = T.Cast("float32", self.scales[place])
        if self.offsets is not None:
            return scale * T.Cast("float32", code) + T.Cast("float32", self.offsets[place])
        return scale * T.Cast("float32", code - self.format.zero_point)


def declare_weights(data_format: GroupFormat, rows: int, inner: int) -> Weights:
    """Declare the next arguments: the arrays of `pack.PackedRows.arrays`."""
    parts, scale_shape = inner // 32, (rows, inner // data_format.group_k)
    high = data_format.high_words
    return Weights(
        data_format,
        argument("codes", (rows, parts, data_format.code_words), "int32"),
        argument("high", (rows, parts, high), "int32") if high else None,
        argument("scales", scale_shape, "float16"),
        argument("offsets", scale_shape, "float16") if data_format.has_offset else None,
    )
