"""All GPU kernels of a decoder as one library: what is compiled, by name."""

import logging
from collections.abc import Iterator
from typing import Any

from heron.errors import CompileFailed
from heron.host.compiler.cuda.activation import embed, quantize_rms, quantize_silu
from heron.host.compiler.cuda.attention import attend, combine, copy_page, rotate_and_append
from heron.host.compiler.cuda.emit import WARP
from heron.host.compiler.cuda.linear_matrix import linear_matrix
from heron.host.compiler.cuda.linear_vector import linear_vector
from heron.host.compiler.cuda.plan import KernelPlan
from heron.host.compiler.cuda.shapes import ATTENTION_SPLITS, ATTENTION_WARPS, VECTOR_TOKENS

_log = logging.getLogger(__name__)


def compile_kernels(plan: KernelPlan, architecture: str = "sm_90") -> Any:
    """An executable with every kernel of the plan; CompileFailed if TVM, or the CUDA compiler it calls, cannot."""
    return _compile(plan, {"kind": "cuda", "arch": architecture, "max_shared_memory_per_block": 49152})


def write_metal_source(plan: KernelPlan) -> str:
    """Every kernel of the plan in Metal's language, which Apple's systems compile when it is loaded.

    Not run yet: there is no runner for it, and none of it has seen Apple's compiler.
    """
    executable = _compile(plan, {"kind": "metal", "max_shared_memory_per_block": 32768})
    return str(executable.mod.imports[0].inspect_source())


def _compile(plan: KernelPlan, attributes: dict[str, object]) -> Any:
    import tvm

    limits = {"max_threads_per_block": 1024, "thread_warp_size": WARP}
    host = {"kind": "llvm", "mtriple": str(tvm.target.codegen.llvm_get_system_triple())}
    try:
        target = tvm.target.Target({**attributes, **limits}, host=host)
        with target:  # kernels are emitted for it, and the callback that compiles CUDA reads the architecture here
            module = tvm.IRModule({str(kernel.attrs["global_symbol"]): kernel for kernel in _kernels(plan)})
            return tvm.compile(module, target=target)
    except (ValueError, TypeError, RuntimeError) as error:
        _log.exception("compilation failed")
        name = " ".join(str(attributes[key]) for key in ("kind", "arch") if key in attributes)
        raise CompileFailed(f"The model could not be compiled for {name}: {error}") from error


def _kernels(plan: KernelPlan) -> Iterator[Any]:
    shape = plan.decoder
    yield embed(plan.embedding, plan.vocab_rows, shape.hidden)
    yield quantize_rms("quantize_rms", shape.hidden, shape.epsilon, picked=False)
    yield quantize_rms("quantize_picked", shape.hidden, shape.epsilon, picked=True)
    yield quantize_silu(shape.feed_forward)
    yield from (rotate_and_append(shape), attend(shape), copy_page(shape))
    yield from (combine(shape, splits * ATTENTION_WARPS) for splits in ATTENTION_SPLITS)
    for linear in sorted(plan.linears, key=lambda item: item.name):
        yield from (linear_vector(linear, tokens) for tokens in VECTOR_TOKENS)
        yield linear_matrix(linear)
