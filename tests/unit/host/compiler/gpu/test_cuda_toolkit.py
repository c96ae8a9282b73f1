"""Which CUDA compiler is used, and what is said where something is missing."""

import os
import sys
from pathlib import Path

import pytest

from heron.host.compiler.gpu.cuda_toolkit import Toolkit, find_problem, find_toolkit, use_toolkit


def lay_out(folder: Path, monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    """These files as NVIDIA's packages would have them; nothing else of CUDA is found."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.delenv("CUDA_PATH", raising=False)
    for module in [name for name in sys.modules if name.partition(".")[0] in ("cuda", "nvidia")]:
        monkeypatch.delitem(sys.modules, module)


BINDINGS, HEADERS = "cuda/bindings/nvrtc.py", "nvidia/cu13/include/cuda_runtime.h"
MORE_HEADERS = "nvidia/cu13/include/cccl/cuda/std/cstdint"


def test_nvidias_packages_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, monkeypatch, BINDINGS, HEADERS, MORE_HEADERS)
    toolkit = find_toolkit()
    assert toolkit == Toolkit("nvrtc", tmp_path / "nvidia" / "cu13")


def test_nvcc_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, monkeypatch, BINDINGS, HEADERS, MORE_HEADERS, "bin/nvcc")
    (tmp_path / "bin" / "nvcc").chmod(0o755)
    assert find_toolkit() == Toolkit("nvcc")


@pytest.mark.parametrize("files", [(), (BINDINGS,), (HEADERS, MORE_HEADERS), (BINDINGS, HEADERS)])
def test_half_of_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...]) -> None:
    lay_out(tmp_path, monkeypatch, *files)
    assert find_toolkit() is None
    assert find_problem()


def test_tvm_is_told_what_to_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TVM_CUDA_COMPILE_MODE", "CUDA_PATH", "TVM_CUDA_NVRTC_EXTRA_OPTS"):
        monkeypatch.setenv(name, "")
    use_toolkit(Toolkit("nvrtc", tmp_path))
    assert os.environ["TVM_CUDA_COMPILE_MODE"] == "nvrtc"
    assert os.environ["CUDA_PATH"] == str(tmp_path)
    assert os.environ["TVM_CUDA_NVRTC_EXTRA_OPTS"] == f"-I{tmp_path}/include/cccl"
