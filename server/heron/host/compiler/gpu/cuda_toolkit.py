"""What running on an NVIDIA card takes beside its driver: CUDA's runtime library, and a compiler for the kernels.

Both come from CUDA 13's toolkit or from NVIDIA's packages, which `heron-lsp[cuda]` names.
"""

import ctypes
import importlib.util
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Compiler = Literal["nvcc", "nvrtc"]

RUNTIME = "libcudart.so.13"
REMEDY = "Install CUDA 13 and a C compiler, or: python -m pip install 'heron-lsp[cuda]'."
_LINKERS = ("cc", "gcc", "clang")
_HEADERS = ("cuda_runtime.h", "cccl")  # PyTorch's packages bring the first alone, and nvrtc then finds no <cuda/std>


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The compiler TVM is to call; `root` is where nvrtc finds headers."""

    compiler: Compiler
    root: Path | None = None


def load_runtime() -> ctypes.CDLL:
    """CUDA's runtime library, from the system or from NVIDIA's packages; OSError if there is none.

    Once it is loaded, TVM's CUDA library finds it too.
    """
    try:
        return ctypes.CDLL(RUNTIME, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        root = package_root()
        if root is None:
            raise
        return ctypes.CDLL(str(root / "lib" / RUNTIME), mode=ctypes.RTLD_GLOBAL)


def find_problem() -> str:
    """What is missing to run on a card of this machine; empty if nothing is."""
    if sys.platform != "linux":
        return f"Heron uses NVIDIA cards on Linux, not yet on {sys.platform}"
    try:
        load_runtime()
    except OSError:
        return f"CUDA's runtime library was not found ({RUNTIME})"
    if find_toolkit() is None:
        return "no CUDA compiler was found (neither nvcc nor nvrtc with its headers)"
    return "" if any(map(shutil.which, _LINKERS)) else "no C compiler was found to link the kernels with"


def find_toolkit() -> Toolkit | None:
    """nvcc where it is on the PATH; else nvrtc, if its Python bindings and CUDA's headers are there."""
    if shutil.which("nvcc"):
        return Toolkit("nvcc")
    roots = [Path(root) for root in (os.environ.get("CUDA_PATH"), package_root()) if root]
    root = next((root for root in roots if all((root / "include" / name).exists() for name in _HEADERS)), None)
    return Toolkit("nvrtc", root) if root and _has_module("cuda.bindings.nvrtc") else None


def use_toolkit(toolkit: Toolkit) -> None:
    """Tell TVM, by its environment variables, which compiler to call."""
    os.environ["TVM_CUDA_COMPILE_MODE"] = toolkit.compiler
    if toolkit.root:
        os.environ["CUDA_PATH"] = str(toolkit.root)
        os.environ["TVM_CUDA_NVRTC_EXTRA_OPTS"] = f"-I{shlex.quote(str(toolkit.root / 'include' / 'cccl'))}"


def package_root() -> Path | None:
    """The folder that NVIDIA's packages for CUDA 13 share (`include`, `lib`), if they are installed."""
    for folder in _module_folders("nvidia"):
        if (root := Path(folder) / "cu13").is_dir():
            return root
    return None


def _module_folders(name: str) -> list[str]:
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations or ()) if spec else []


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
