"""Products of rows of weights with a few tokens' quantised activations: what a warp does in every vector kernel.

A lane takes groups of 32 k, each with 16-byte loads, and multiplies four pairs of bytes an instruction (`dp4a`); sums
over a group are exact integers. Weights are fetched before the activations are there, as far as registers hold them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import QuantBuffers
from heron.host.compiler.gpu.emit import Expr, copy_words, put, registers, warp_sum, when
from heron.host.compiler.gpu.weights import Activation, Fetched, Group, Weights


def fetched_words(tokens: int) -> int:
    """Registers of a thread that may hold weights while it waits; with many tokens, more warps at once pay more."""
    return 64 if tokens <= 2 else 24


@dataclass(frozen=True, slots=True)
class Share:
    """The groups of a row that a lane takes: first, first + stride, … below `parts`."""

    first: Expr
    stride: int
    parts: int

    @property
    def steps(self) -> int:
        return -(-self.parts // self.stride)

    @contextmanager
    def group(self, step: int) -> Iterator[Expr]:
        """Statements for the lanes that have a group in this step; gives the group."""
        group = T.Bind(self.first + step * self.stride)
        if (step + 1) * self.stride <= self.parts:
            yield group
        else:
            with when(group < self.parts):
                yield group


class RowProducts:
    """Rows of weights times `tokens` rows of activations, by the lanes of a warp or of several."""

    def __init__(self, weights: Weights, rows: Sequence[Expr], share: Share, tokens: int) -> None:
        self._weights, self._rows, self._share, self._tokens = weights, rows, share, tokens
        self._sums: list[Any] = [registers(tokens, "float32") for _ in rows]
        self._fetched: dict[tuple[int, int], Fetched] = {}

    def fetch(self, most_words: int) -> int:
        """Load weights into at most so many registers; what is left is loaded by `multiply`. How many are left."""
        for step in range(self._share.steps):
            for index, row in enumerate(self._rows):
                most_words -= self._weights.group_words
                if most_words >= 0:
                    self._fetched[index, step] = self._weights.reserve()
                    with self._share.group(step) as group:
                        self._weights.fetch(self._fetched[index, step], row, group)
        return max(0, most_words)

    def multiply(self, inputs: QuantBuffers) -> list[Any]:
        """By row, the products with each token in registers, in every lane of a warp."""
        with T.unroll(0, self._tokens) as token:
            for sums in self._sums:
                put(sums, T.float32(0), token)
        for step in range(self._share.steps):
            with self._share.group(step) as group:
                unpacked = [self._unpack(index, step, group) for index in range(len(self._rows))]
                with T.unroll(0, self._tokens) as token:
                    activation = _load_activation(inputs, token, group)
                    for sums, weights in zip(self._sums, unpacked, strict=True):
                        put(sums, sums[token] + weights.multiply(activation), token)
        with T.unroll(0, self._tokens) as token:
            for sums in self._sums:
                put(sums, warp_sum(sums[token]), token)
        return self._sums

    def _unpack(self, index: int, step: int, group: Expr) -> Group:
        fetched = self._fetched.get((index, step))
        if fetched is None:
            fetched = self._weights.reserve()
            self._weights.fetch(fetched, self._rows[index], group)
        return fetched.unpack()


def _load_activation(inputs: QuantBuffers, token: Expr, group: Expr) -> Activation:
    words, sums = registers(8, "int32"), registers(2, "float32")
    copy_words(words, inputs.codes, [token, group * 8], 8)
    copy_words(sums, inputs.sums, [token, group * 2], 2)
    return Activation(words, T.Bind(inputs.scales[token, group]), sums)
