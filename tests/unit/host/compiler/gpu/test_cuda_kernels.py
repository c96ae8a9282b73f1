"""The CUDA kernels become machine code for sm_90. No GPU is needed, but a compiler for CUDA is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from heron.errors import CompileFailed
from heron.host.compiler.gpu.formats import join_formats
from heron.host.compiler.gpu.kernels import compile_kernels
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import DecoderShape, LinearShape

DECODER = DecoderShape(256, 320, 2, 4, 2, 64, 1e-6)
LINEARS = frozenset(
    {
        LinearShape(512, 256, join_formats(["Q5_0"]), "bias", "qkv"),
        LinearShape(256, 320, join_formats(["Q4_K", "Q6_K"]), "residual"),
        LinearShape(640, 256, join_formats(["Q8_0"]), "none", "gate_up"),
    }
)
PLAN = KernelPlan(DECODER, join_formats(["Q4_1"]), 128, LINEARS, 640)


@pytest.fixture(scope="module")
def source() -> str:
    """CUDA source of all kernels. TVM itself calls the CUDA compiler only where it finds a driver."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TVM_CUDA_COMPILE_MODE", "nvcc")
        return str(compile_kernels(PLAN).mod.imports[0].inspect_source())


def test_every_kernel_is_there(source: str) -> None:
    names = ["embed", "quantize_rms", "quantize_picked", "quantize_silu", "rotate_and_append", "attend", "combine_64"]
    for linear in LINEARS:
        names += [f"linear_{linear.name}_{kind}" for kind in ("m1", "m2", "m4", "m8", "matrix")]
    assert not [name for name in names if f" {name}_kernel(" not in source]


def test_the_kernels_become_machine_code_without_spills(source: str, tmp_path: Path) -> None:
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc here: the CUDA kernels were not compiled")
    (tmp_path / "kernels.cu").write_text(source)
    flags = ["--use_fast_math", "--ptxas-options=-v,--register-usage-level=10"]  # what TVM compiles with
    command = ["nvcc", "-cubin", "-arch=sm_90", *flags, "-o", str(tmp_path / "kernels.cubin"), "kernels.cu"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    spills = [line for line in done.stderr.splitlines() if "spill stores" in line]
    assert len(spills) == source.count("__global__ void") // 2
    assert all("0 bytes spill stores, 0 bytes spill loads" in line for line in spills)


def test_padding_against_bank_conflicts_survives_lowering(source: str) -> None:
    assert f"[{63 * 36 + 32}]" in source  # 64 rows of 32 words, each 4 words apart; TVM drops pads it can see


def test_an_unknown_architecture_is_a_failed_compilation() -> None:
    with pytest.raises(CompileFailed, match="nonsense"):
        compile_kernels(PLAN, "nonsense")


def test_what_runs_early_is_not_read_as_a_constant(source: str) -> None:
    """Kernels that begin before their inputs are written wait for them, and their pointers are not `__restrict__`."""
    kernels = [text for text in source.split('extern "C" __global__')[1:] if "{" in text]
    assert all("griddepcontrol_wait()" in text for text in kernels)
    restricted = [text for text in kernels if "__restrict__" in text]
    assert len(restricted) == len(LINEARS)
    assert all("_matrix_kernel(" in text for text in restricted)
