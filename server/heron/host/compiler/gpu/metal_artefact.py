"""A model's kernels for Apple's GPUs: their source, which the system compiles at each load, and what calls them."""

from pathlib import Path
from typing import Any

from heron.host.compiler.build_once import Extras
from heron.host.compiler.gpu.artefact import KernelTarget, ensure_kernels
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import METAL_LIMITS
from heron.host.models.progress import Report

_REMEDY = "Install Apple's command line tools: xcode-select --install"


def ensure_metal_artefact(model_path: Path, report: Report, extras: Extras = lambda file, folder: None) -> Path:
    """The artefact folder of a model for Apple's GPUs. Raises as `ensure_kernels` does."""
    target = KernelTarget("metal", "Metal", METAL_LIMITS, lambda: "TVM", _compile, _REMEDY)
    return ensure_kernels(model_path, target, report, extras)


def _compile(plan: KernelPlan) -> Any:
    from heron.host.compiler.gpu.kernels import compile_metal_kernels  # loads the compiler

    return compile_metal_kernels(plan)
