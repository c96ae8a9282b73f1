"""Which machine code to make: the instruction set, TVM's target for it, and how many threads run it."""

import platform
import sys
from dataclasses import dataclass
from typing import Literal

from heron.errors import InvalidSettings
from heron.host.models.machine import cpu_flags, usable_cores
from heron.settings import EngineSettings, KvCache

InstructionSetName = Literal["avx512-vnni", "avx2", "portable"]

_AVX2 = frozenset({"avx2", "fma", "f16c", "bmi2"})
_NEEDS: dict[InstructionSetName, frozenset[str]] = {
    "avx512-vnni": _AVX2 | {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vnni"},
    "avx2": _AVX2,
    "portable": frozenset(),
}
_X86_PROCESSORS: dict[InstructionSetName, tuple[str, tuple[str, ...]]] = {
    "avx512-vnni": ("x86-64-v4", ("+avx512vnni",)),
    "avx2": ("x86-64-v3", ()),
    "portable": ("x86-64", ()),
}


@dataclass(frozen=True, slots=True)
class CpuTarget:
    """The processor a model is compiled for. `triple` names the system in LLVM's way."""

    instruction_set: InstructionSetName
    triple: str
    kv_cache: KvCache = "auto"

    @property
    def cache_dtype(self) -> str:
        """Type of cached keys and values, if not int8: halves where the processor widens them in one instruction."""
        if self.kv_cache == "int8":
            return "int8"
        return "float32" if self.instruction_set == "portable" else "float16"

    @property
    def code(self) -> str:
        """What tells apart the artefacts that one model may have on one system."""
        return self.instruction_set if self.kv_cache == "auto" else f"{self.instruction_set}-{self.kv_cache}"

    def describe(self) -> str:
        """A stable name for cache keys and reports."""
        return f"{self.code} {self.triple}"

    def tvm_attributes(self) -> dict[str, object]:
        """What `tvm.target.Target` is made from; the same on every machine of this instruction set."""
        if not self.triple.startswith("x86_64"):
            return {"kind": "llvm", "mtriple": self.triple}
        processor, extra = _X86_PROCESSORS[self.instruction_set]
        return {"kind": "llvm", "mtriple": self.triple, "mcpu": processor, "mattr": list(extra)}


def choose_target(settings: EngineSettings) -> CpuTarget:
    """The target the settings ask for, or the best this machine has; InvalidSettings if the machine lacks it."""
    features, triple = host_features(), _host_triple()
    return CpuTarget(choose_instruction_set(settings.instruction_set, features), triple, settings.kv_cache)


def choose_instruction_set(requested: str, features: frozenset[str]) -> InstructionSetName:
    """The instruction set `requested`, or for `auto` the best one whose `features` (LLVM's names) are all there."""
    if requested == "auto":
        return next(name for name, needs in _NEEDS.items() if needs <= features)
    chosen = next(name for name in _NEEDS if name == requested)
    if missing := _NEEDS[chosen] - features:
        best = choose_instruction_set("auto", features)
        raise InvalidSettings(
            f"Setting engine.instruction_set: this processor has no {chosen} ({', '.join(sorted(missing))} missing).",
            hint=f"Use auto; here that is {best}.",
        )
    return chosen


def host_features() -> frozenset[str]:
    """Features of this processor, by LLVM's names.

    On Linux the kernel tells them, so that a worker whose model is compiled need not load the compiler.
    """
    if sys.platform == "linux":
        return cpu_flags()
    from tvm.target import Target, codegen

    host = Target({"kind": "llvm", "mcpu": codegen.llvm_get_system_cpu()})
    return frozenset(str(feature) for feature in codegen.llvm_get_cpu_features(host))


def choose_threads(settings: EngineSettings) -> int:
    """Threads for the engine: what the settings say, else the cores this process may use.

    Cores are physical ones, less those the affinity mask or the control group's quota withhold. More threads than
    cores cost far more than they bring: each step waits for the slowest.
    """
    return settings.threads or usable_cores()


def _host_triple() -> str:
    if sys.platform == "linux":
        return f"{platform.machine()}-unknown-linux-gnu"
    from tvm.target import codegen

    return str(codegen.llvm_get_system_triple())
