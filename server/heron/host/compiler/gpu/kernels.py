"""All GPU kernels of a decoder as one library: what is compiled, by name."""

import logging
from collections.abc import Iterator
from typing import Any

from heron.errors import CompileFailed
from heron.host.compiler.gpu.activation import embed, quantize_rms, quantize_silu
from heron.host.compiler.gpu.attention import attend, combine, copy_page, rotate_and_append
from heron.host.compiler.gpu.emit import WARP
from heron.host.compiler.gpu.linear_matrix import linear_matrix
from heron.host.compiler.gpu.linear_vector import linear_vector
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.projections import project_gate_up, project_qkv
from heron.host.compiler.gpu.shapes import (
    ATTENTION_SPLITS,
    ATTENTION_WARPS,
    CUDA_LIMITS,
    METAL_LIMITS,
    VECTOR_TOKENS,
    DecoderShape,
    GpuLimits,
    LinearShape,
)

_LAUNCH_PARAMETERS = "tirx.kernel_launch_params"
_EARLY_LAUNCH = "tirx.use_programtic_dependent_launch"  # spelt so by TVM

_CPU = 1  # DLPack's number for host memory

_log = logging.getLogger(__name__)


def compile_kernels(plan: KernelPlan, architecture: str = "sm_90") -> Any:
    """An executable with every kernel of the plan; CompileFailed if TVM, or the CUDA compiler it calls, cannot."""
    return _compile(plan, CUDA_LIMITS, kind="cuda", arch=architecture)


def compile_metal_kernels(plan: KernelPlan, in_host_memory: bool = False) -> Any:
    """An executable with every kernel of the plan in Metal's language, which Apple's systems compile as they load it.

    It is made on any system. Emulated in tests, which keep tensors in host memory; none of it has been run on Apple's
    hardware or seen Apple's compiler.
    """
    memory = {"target_device_type": _CPU} if in_host_memory else {}
    return _compile(plan, METAL_LIMITS, kind="metal", **memory)


def _target(limits: GpuLimits, attributes: dict[str, str | int]) -> Any:
    import tvm

    sizes = {
        "max_threads_per_block": 1024, "thread_warp_size": WARP, "max_shared_memory_per_block": limits.shared_bytes
    }  # fmt: skip
    host = {"kind": "llvm", "mtriple": str(tvm.target.codegen.llvm_get_system_triple())}
    return tvm.target.Target({**attributes, **sizes}, host=host)


def _compile(plan: KernelPlan, limits: GpuLimits, **attributes: str | int) -> Any:
    import tvm

    try:
        target = _target(limits, attributes)
        # The GPU's compiler unrolls loops over tokens: TVM's passes take the square of a kernel's length.
        context = tvm.transform.PassContext(config={"tirx.UnrollLoop": {"explicit_unroll": False}})
        with context, target:  # kernels are emitted for it; the callback that compiles CUDA reads the architecture here
            module = tvm.IRModule({str(kernel.attrs["global_symbol"]): kernel for kernel in _kernels(plan)})
            return _build(module, target)
    except (ValueError, TypeError, RuntimeError) as error:
        _log.exception("compilation failed")
        name = " ".join(str(attributes[key]) for key in ("kind", "arch") if key in attributes)
        raise CompileFailed(f"The model could not be compiled for {name}: {error}") from error


def _build(module: Any, target: Any) -> Any:
    """As `tvm.compile`, but kernels for CUDA are launched before the one ahead of them has ended (`emit.launch`)."""
    import tvm
    from tvm.tirx import get_default_tir_pipeline
    from tvm.tirx.build import split_host_device_mods, tir_to_runtime

    host = tvm.target.Target(target.host)
    lower, finish_host, finish_device = get_default_tir_pipeline(target)
    lowered = lower(tvm.tirx.transform.BindTarget(target.with_host(host))(module))
    host_module, device_modules = split_host_device_mods(lowered)
    kernels = {key: _launch_early(finish_device()(found)) for key, found in device_modules.items()}
    return tvm.runtime.Executable(tir_to_runtime(finish_host()(host_module), kernels, host))


def _launch_early(module: Any) -> Any:
    """Add the tag to each kernel's launch parameters; TVM 0.27 has no attribute that would.

    What others write while a kernel already runs may not be read through the cache for constants, as it would be from
    pointers that TVM marks `__restrict__`. Kernels for many tokens keep the mark and wait their turn: they run for so
    long that a launch does not count, and without it they lack registers.
    """
    import tvm

    def tag(kernel: Any) -> Any:
        if str(kernel.attrs["global_symbol"]).endswith("_matrix_kernel"):
            return kernel
        parameters = kernel.attrs[_LAUNCH_PARAMETERS]
        early = kernel.with_attr(_LAUNCH_PARAMETERS, [*parameters, _EARLY_LAUNCH])
        return early.without_attr("tirx.noalias")

    if any(str(kernel.attrs["target"].kind.name) != "cuda" for kernel in module.functions.values()):
        return module
    return tvm.IRModule({name: tag(kernel) for name, kernel in module.functions.items()}, attrs=module.attrs)


def _kernels(plan: KernelPlan) -> Iterator[Any]:
    shape = plan.decoder
    yield embed(plan.embedding, plan.vocab_rows, shape.hidden)
    yield quantize_rms("quantize_rms", shape.hidden, shape.epsilon, picked=False)
    yield quantize_rms("quantize_picked", shape.hidden, shape.epsilon, picked=True)
    yield quantize_silu(shape.feed_forward)
    yield from (rotate_and_append(shape), attend(shape), copy_page(shape))
    yield from (combine(shape, splits * ATTENTION_WARPS) for splits in ATTENTION_SPLITS)
    for linear in sorted(plan.linears, key=lambda item: item.name):
        yield from (_vector_kernel(shape, linear, tokens) for tokens in VECTOR_TOKENS)
        yield linear_matrix(linear)


def _vector_kernel(shape: DecoderShape, linear: LinearShape, tokens: int) -> Any:
    if linear.role == "qkv":
        return project_qkv(shape, linear, tokens)
    if linear.role == "gate_up":
        return project_gate_up(shape, linear, tokens)
    return linear_vector(linear, tokens)
