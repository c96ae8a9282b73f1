"""A model's kernels for NVIDIA cards."""

from pathlib import Path
from typing import Any

from heron.errors import CompileFailed
from heron.host.compiler.build_once import Extras
from heron.host.compiler.gpu.artefact import KernelTarget, ensure_kernels
from heron.host.compiler.gpu.cuda_toolkit import REMEDY, find_toolkit, use_toolkit
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import CUDA_LIMITS
from heron.host.models.progress import Report


def ensure_cuda_artefact(
    model_path: Path, architecture: str, report: Report, extras: Extras = lambda file, folder: None
) -> Path:
    """The artefact folder of a model for cards of this architecture. Raises as `ensure_kernels` does."""

    def compile_plan(plan: KernelPlan) -> Any:
        from heron.host.compiler.gpu.kernels import compile_kernels  # loads the compiler

        return compile_kernels(plan, architecture)

    target = KernelTarget(
        f"cuda-{architecture}", f"CUDA {architecture}", CUDA_LIMITS, _choose_toolkit, compile_plan, REMEDY
    )
    return ensure_kernels(model_path, target, report, extras)


def _choose_toolkit() -> str:
    toolkit = find_toolkit()
    if toolkit is None:
        raise CompileFailed("There is no compiler for CUDA.", hint=REMEDY)
    use_toolkit(toolkit)
    return toolkit.compiler
