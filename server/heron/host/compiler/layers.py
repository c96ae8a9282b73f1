"""Quantised layers for `relax.frontend.nn` models, on the kernels of one instruction set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import op

from heron.host.compiler.kernels.activation import QuantizerShape, Recipe, build_quantizer
from heron.host.compiler.kernels.formats import Segment
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.linear import Epilogue, LinearShape, build_linear
from heron.host.compiler.kernels.quantized_rows import SPARE_ROWS, RowLayout

Tensor = Any
Activation = Any
"""Quantised rows, int32: one for M = 1, else M and `SPARE_ROWS` that are not filled; see `kernels.quantized_rows`."""
PLAIN = Recipe()


@dataclass(frozen=True, slots=True)
class KernelSet:
    """Kernels for one instruction set, their work dealt to `chunks` threads; each is built and named once."""

    isa: InstructionSet
    chunks: int
    _built: dict[LinearShape | QuantizerShape, tuple[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def built_names(self) -> list[str]:
        """Names of the kernels built so far."""
        return [name for name, _ in self._built.values()]

    def linear(self, shape: LinearShape) -> tuple[str, Any]:
        """Name and PrimFunc of a linear."""
        if shape not in self._built:
            name = f"linear_{len(self._built)}_{_describe(shape)}"
            self._built[shape] = (name, build_linear(shape, self.isa, self.chunks, name))
        return self._built[shape]

    def quantizer(self, shape: QuantizerShape) -> tuple[str, Any]:
        """Name and PrimFunc of an activation quantiser."""
        if shape not in self._built:
            name = f"quantize_{len(self._built)}_{shape.recipe.kind}_{shape.inner}"
            self._built[shape] = (name, build_quantizer(shape, self.isa, self.chunks, name))
        return self._built[shape]


def quantize_activation(
    kernels: KernelSet, values: Tensor, recipe: Recipe = PLAIN, vectors: Sequence[Tensor] = ()
) -> Activation:
    """Quantise float32 [M, K], gated ones [M, 2K], gate then up; `vectors` [K] are the norm's gain and bias."""
    rows, width = values.shape
    inner = width // 2 if recipe.is_gated else width
    single = _is_single(rows)
    name, function = kernels.quantizer(QuantizerShape(recipe, inner, single))
    output = nn.Tensor.placeholder((rows if single else rows + SPARE_ROWS, RowLayout(inner).row_words), "int32")
    return op.tensor_ir_op(function, name, [values, *vectors], output)


class QuantLinear(nn.Module):  # type: ignore[misc]
    """Packed weights of several segments, and what is added to their outputs.

    Parameters, in order: `weights` (uint8, one for each segment, as `pack.pack_linear` gives them), then with epilogue
    "bias" `bias` float32 [N].
    """

    def __init__(self, segments: Sequence[Segment], in_features: int, epilogue: Epilogue, kernels: KernelSet) -> None:
        self.kernels = kernels
        self.epilogue = epilogue
        self.segments = tuple(segments)
        self.in_features = in_features
        self.out_features = sum(segment.columns for segment in segments)
        shapes = [segment.format.packed_shape(segment.columns, in_features) for segment in segments]
        self.weights = nn.ParameterList([nn.Parameter(shape, "uint8") for shape in shapes])
        if epilogue == "bias":
            self.bias = nn.Parameter((self.out_features,), "float32")

    def forward(self, activation: Activation, residual: Tensor | None = None, into: Tensor | None = None) -> Tensor:
        """float32 [M, N], written to `into` if given; M = 1 takes the matrix-vector kernel.

        `residual` [M, N] goes with epilogue "residual".
        """
        held = activation.shape[0]
        rows = held if _is_single(held) else held - SPARE_ROWS
        shape = LinearShape(self.segments, self.in_features, self.epilogue, _is_single(rows))
        name, function = self.kernels.linear(shape)
        extra = {"none": [], "bias": [getattr(self, "bias", None)], "residual": [residual]}[self.epilogue]
        inputs = [*self.weights, activation, *extra]
        output = nn.Tensor.placeholder((rows, self.out_features), "float32")
        if into is None:
            return op.tensor_ir_op(function, name, inputs, output)
        return op.tensor_ir_inplace_op(function, name, [*inputs, into], len(inputs), output)


def _is_single(rows: Any) -> bool:
    return isinstance(rows, int) and rows == 1


def _describe(shape: LinearShape) -> str:
    formats = "_".join(segment.format.name.lower() for segment in shape.segments)
    return f"{formats}_{shape.inner}x{shape.columns}_{shape.epilogue}_{'gemv' if shape.single_row else 'gemm'}"
