"""A toy model of the layers: exported, compiled and run by TVM's virtual machine, against numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tvm
from tvm import relax
from tvm.relax.frontend import nn

from heron.host.compiler.kernels.activation import Recipe
from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.layers import KernelSet, QuantLinear, quantize_activation
from heron.host.compiler.pack import pack_linear, plan_linear
from unit.host.compiler.kernels.samples import INSTRUCTION_SETS, Tensor, dequantize, make_tensor, target_of

HIDDEN, FEED_FORWARD = 64, 96
EPSILON = 1e-5
SPEC = {"param_mode": "packed", "effect_mode": "none"}

Doubles = npt.NDArray[np.float64]


class Toy(nn.Module):
    """A biased linear, then RMSNorm, gate and up, SiLU and down with a residual."""

    def __init__(self, tensors: dict[str, Tensor], kernels: KernelSet) -> None:
        self.kernels = kernels
        self.gain = nn.Parameter((HIDDEN,), "float32")
        self.first = QuantLinear(plan_linear([tensors["first"]]), HIDDEN, "bias", kernels)
        self.gate_up = QuantLinear(plan_linear([tensors["gate"], tensors["up"]]), HIDDEN, "none", kernels)
        self.down = QuantLinear(plan_linear([tensors["down"]]), FEED_FORWARD, "residual", kernels)

    def decode(self, x: Any) -> Any:
        return self.prefill(x)

    def prefill(self, x: Any) -> Any:
        x = self.first(quantize_activation(self.kernels, x))
        gate_up = self.gate_up(quantize_activation(self.kernels, x, Recipe("rms", EPSILON), [self.gain]))
        return self.down(quantize_activation(self.kernels, gate_up, Recipe("silu_gate")), x)


def make_tensors(rng: np.random.Generator) -> dict[str, Tensor]:
    return {
        "first": make_tensor("Q5_0", HIDDEN, HIDDEN, rng),
        "gate": make_tensor("Q8_0", FEED_FORWARD, HIDDEN, rng),
        "up": make_tensor("Q4_1", FEED_FORWARD, HIDDEN, rng),
        "down": make_tensor("Q4_0", HIDDEN, FEED_FORWARD, rng),
    }


def export_toy(toy: Toy) -> Any:
    spec = nn.spec.ModuleSpec.from_raw(
        {
            "decode": {"x": nn.spec.Tensor([1, HIDDEN], "float32"), "$": SPEC},
            "prefill": {"x": nn.spec.Tensor(["n", HIDDEN], "float32"), "$": SPEC},
        },
        toy,
    )
    module, *_ = toy.export_tvm(spec=spec, allow_extern=True)
    return module


def compile_toy(toy: Toy, name: str) -> Any:
    target = target_of(name)
    built = tvm.compile(export_toy(toy), target=target, relax_pipeline=relax.get_default_pipeline(target))
    return relax.VirtualMachine(built.jit(), tvm.cpu())


def reference(x: Doubles, weights: dict[str, Doubles], gain: Any, bias: Any) -> Doubles:
    x = x @ weights["first"].T + bias
    normed = x / np.sqrt((x**2).mean(1, keepdims=True) + EPSILON) * gain
    gate, up = normed @ weights["gate"].T, normed @ weights["up"].T
    return x + (gate / (1 + np.exp(-gate)) * up) @ weights["down"].T


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_a_toy_model_runs_for_one_row_and_for_many(name: str) -> None:
    rng = np.random.default_rng(5)
    tensors = make_tensors(rng)
    gain, bias = (rng.standard_normal(HIDDEN).astype(np.float32) for _ in range(2))
    machine = compile_toy(Toy(tensors, KernelSet(instruction_set(name), 2)), name)
    groups = [[tensors["first"]], [tensors["gate"], tensors["up"]], [tensors["down"]]]
    packed = [[weights for _, weights in pack_linear(group)] for group in groups]
    arrays = [gain, *packed[0], bias, *packed[1], *packed[2]]
    parameters = [tvm.runtime.tensor(array) for array in arrays]
    exact = {key: dequantize(tensor).astype(np.float64) for key, tensor in tensors.items()}
    for rows in (1, 2, 19):
        x = rng.standard_normal((rows, HIDDEN)).astype(np.float32)
        actual = machine["decode" if rows == 1 else "prefill"](tvm.runtime.tensor(x), parameters).numpy()
        expected = reference(x.astype(np.float64), exact, gain, bias)
        assert np.linalg.norm(actual - expected) <= 0.02 * np.linalg.norm(expected)


def test_a_kernel_is_built_once_for_each_shape() -> None:
    kernels = KernelSet(instruction_set("portable"), 2)
    toy = Toy(make_tensors(np.random.default_rng(6)), kernels)
    export_toy(toy)
    # Three linears and three quantisers, each for one row and for many.
    assert len(kernels.built_names) == 12
    export_toy(toy)
    assert len(kernels.built_names) == 12
