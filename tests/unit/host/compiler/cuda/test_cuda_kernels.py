"""The CUDA kernels become machine code for sm_90. No GPU is needed, but a compiler for CUDA is."""

import shutil
from pathlib import Path

import pytest

from heron.errors import CompileFailed
from heron.host.compiler.cuda.formats import join_formats
from heron.host.compiler.cuda.kernels import compile_kernels
from heron.host.compiler.cuda.plan import KernelPlan
from heron.host.compiler.cuda.shapes import DecoderShape, LinearShape

DECODER = DecoderShape(256, 320, 2, 4, 2, 64, 1e-6)
LINEARS = frozenset(
    {
        LinearShape(512, 256, join_formats(["Q5_0"]), "bias"),
        LinearShape(256, 320, join_formats(["Q4_K", "Q6_K"]), "residual"),
        LinearShape(640, 256, join_formats(["Q8_0"]), "none"),
    }
)
PLAN = KernelPlan(DECODER, join_formats(["Q4_1"]), 128, LINEARS)


@pytest.fixture
def cuda_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc here: the CUDA kernels were not compiled")
    monkeypatch.setenv("TVM_CUDA_COMPILE_MODE", "nvcc")


@pytest.mark.usefixtures("cuda_compiler")
def test_every_kernel_compiles_and_lands_in_the_library(tmp_path: Path) -> None:
    executable = compile_kernels(PLAN)
    names = ["embed", "quantize_rms", "quantize_picked", "quantize_silu", "rotate_and_append", "attend", "combine_64"]
    for linear in LINEARS:
        names += [f"linear_{linear.name}_{kind}" for kind in ("m1", "m2", "m4", "m8", "matrix")]
    source = executable.mod.imports[0].inspect_source()
    assert not [name for name in names if f" {name}_kernel(" not in source]
    executable.export_library(str(tmp_path / "library.so"))


@pytest.mark.usefixtures("cuda_compiler")
def test_padding_against_bank_conflicts_survives_lowering() -> None:
    source = compile_kernels(PLAN).mod.imports[0].inspect_source()
    assert "int _ptr" in source
    assert f"[{63 * 36 + 32}]" in source  # 64 rows of 32 words, each 4 words apart; TVM drops pads it can see


def test_an_unknown_architecture_is_a_failed_compilation() -> None:
    with pytest.raises(CompileFailed, match="nonsense"):
        compile_kernels(PLAN, "nonsense")
