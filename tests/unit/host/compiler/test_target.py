import subprocess
import sys

import pytest

from heron.errors import InvalidSettings
from heron.host.compiler import target
from heron.host.compiler.target import choose_instruction_set, choose_target, choose_threads, host_features
from heron.settings import EngineSettings

AVX2 = frozenset({"sse2", "avx2", "fma", "f16c", "bmi2"})
VNNI = AVX2 | {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vnni"}


@pytest.mark.parametrize(
    ("features", "best"),
    [(VNNI, "avx512-vnni"), (VNNI - {"avx512vnni"}, "avx2"), (AVX2 - {"f16c"}, "portable"), (frozenset(), "portable")],
)
def test_auto_takes_the_best_the_processor_has(features: frozenset[str], best: str) -> None:
    assert choose_instruction_set("auto", features) == best


def test_a_lesser_instruction_set_can_be_asked_for() -> None:
    assert choose_instruction_set("avx2", VNNI) == "avx2"
    assert choose_instruction_set("portable", VNNI) == "portable"


def test_asking_for_what_the_processor_lacks_names_it_and_what_to_use() -> None:
    with pytest.raises(
        InvalidSettings, match=r"no avx512-vnni \(.*avx512vnni.* missing\)\. Use auto; here that is avx2"
    ):
        choose_instruction_set("avx512-vnni", AVX2)


def test_the_host_has_a_target() -> None:
    chosen = choose_target(EngineSettings())
    assert chosen.instruction_set == choose_instruction_set("auto", host_features())
    assert chosen.tvm_attributes()["kind"] == "llvm"
    assert chosen.cache_dtype == ("float32" if chosen.instruction_set == "portable" else "float16")


def test_threads_are_what_is_asked_for_or_fit_the_cores() -> None:
    assert choose_threads(EngineSettings(threads=7)) == 7
    assert 1 <= choose_threads(EngineSettings()) <= len(__import__("os").sched_getaffinity(0))


def test_linux_and_llvm_agree_on_what_matters() -> None:
    from tvm.target import Target, codegen

    llvm = codegen.llvm_get_cpu_features(Target({"kind": "llvm", "mcpu": codegen.llvm_get_system_cpu()}))
    asked = frozenset().union(*target._NEEDS.values())
    assert host_features() & asked == frozenset(str(feature) for feature in llvm) & asked


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere LLVM is asked for the processor's features")
def test_an_artefact_is_found_without_loading_the_compiler() -> None:
    code = "import sys; from heron.host.compiler import artefact; from heron.host.engine import load, tvm_engine\n"
    code += "from heron.settings import EngineSettings; artefact.choose_target(EngineSettings())\n"
    code += "sys.exit('tvm' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
