"""From a GGUF file's decoder to machine code: plan, lower, compile, save, load."""

import logging
from dataclasses import dataclass
from typing import Any

from heron.errors import CompileFailed, InvalidSettings
from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.decoder import Decoder
from heron.host.compiler.decoder_plan import DecoderPlan, LayerPlan
from heron.host.compiler.families import FAMILIES, find_family
from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.kernels.pages import MAX_BATCH_TOKENS, AttentionShape
from heron.host.compiler.layer_tensors import layer_tensors, output_tensors
from heron.host.compiler.layers import KernelSet
from heron.host.compiler.pack import plan_linear
from heron.host.compiler.target import CpuTarget
from heron.host.models.gguf import GgufFile

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompiledDecoder:
    """A relax executable, and the names of its parameters in the order it takes them."""

    executable: Any
    parameter_names: tuple[str, ...]


def plan_decoder(file: GgufFile, config: ModelConfig, target: CpuTarget, threads: int) -> DecoderPlan:
    """What to compile for this file on this target, its linears dealt to `threads`.

    InvalidSettings for an int8 cache with a family that it was not measured with.
    """
    _check_cache(config, target)
    isa = instruction_set(target.instruction_set)
    shape = _attention_shape(config, isa.lanes, target.cache_dtype)
    layers = tuple(_plan_layer(file, config, index) for index in range(config.num_layers))
    return DecoderPlan(config, layers, tuple(plan_linear(output_tensors(file))), KernelSet(isa, threads), shape)


def compile_decoder(plan: DecoderPlan, target: CpuTarget) -> CompiledDecoder:
    """Machine code of the functions `decode` and `forward`; CompileFailed if TVM cannot."""
    import tvm

    decoder = Decoder(plan)
    try:
        tvm_target = tvm.target.Target(target.tvm_attributes())
        module, parameters, *_ = decoder.export_tvm(spec=decoder.module_spec(), allow_extern=True)
        executable = tvm.compile(_bound_sizes(module), target=tvm_target, relax_pipeline=_lowering())
    except Exception as error:  # TVM and LLVM raise what they like
        _log.exception("compilation failed")
        raise CompileFailed(f"The model could not be compiled for {target.describe()}: {error}") from error
    return CompiledDecoder(executable, tuple(name for name, _ in parameters))


def _bound_sizes(module: Any) -> Any:
    """Plan memory for the largest batch: all steps then take the same blocks, and untouched pages are free."""
    bounds = {"tir_var_upper_bound": {"n": MAX_BATCH_TOKENS, "r": MAX_BATCH_TOKENS}}
    module["forward"] = module["forward"].with_attrs(bounds)
    return module


def _lowering() -> Any:
    """The passes a module of opaque kernels needs: no fusion, no legalising, nothing that looks into kernels."""
    from tvm import ir, relax

    return ir.transform.Sequential(
        [
            relax.transform.LegalizeOps(),
            relax.transform.RewriteDataflowReshape(),
            relax.transform.ToNonDataflow(),
            relax.transform.RemovePurityChecking(),
            relax.transform.CallTIRRewrite(),
            relax.transform.StaticPlanBlockMemory(),
            relax.transform.LowerAllocTensor(),
            relax.transform.KillAfterLastUse(),
            relax.transform.LowerRuntimeBuiltin(),
            relax.transform.ComputePrimValue(),
            relax.transform.VMShapeLower(),
            relax.transform.AttachGlobalSymbol(),
        ]
    )


def _check_cache(config: ModelConfig, target: CpuTarget) -> None:
    if target.kv_cache == "int8" and not find_family(config.family).has_int8_cache:
        measured = ", ".join(family.architecture for family in FAMILIES if family.has_int8_cache)
        raise InvalidSettings(
            f"Setting engine.kv_cache: int8 was measured with {measured}, and this model is of the family "
            f"{config.family}.",
            hint="Use auto.",
        )


def _plan_layer(file: GgufFile, config: ModelConfig, index: int) -> LayerPlan:
    linears = layer_tensors(file, config, index).linears
    return LayerPlan(
        qkv=tuple(plan_linear(linears["qkv"])),
        attention_output=tuple(plan_linear(linears["attention_output"])),
        gate_up=tuple(plan_linear(linears["gate_up"])),
        down=tuple(plan_linear(linears["down"])),
    )


def _attention_shape(config: ModelConfig, lanes: int, cache_dtype: str) -> AttentionShape:
    traits = config.traits
    return AttentionShape(
        num_heads=config.num_heads,
        num_kv_heads=config.num_kv_heads,
        head_size=config.head_size,
        lanes=lanes,
        cache_dtype=cache_dtype,
        query_scale=traits.query_scale or config.head_size**-0.5,
        softcap=traits.attention_softcap,
        has_windows=any(traits.windows),
        norm_epsilon=config.epsilon if traits.has_qk_norm else 0.0,
        restores_bias=cache_dtype == "int8" and "qkv" in traits.biases and not traits.has_qk_norm,
    )
