from dataclasses import replace
from pathlib import Path

import pytest

from heron.errors import CompileFailed
from heron.host.compiler.architectures import read_config
from heron.host.compiler.pipeline import compile_decoder, plan_decoder
from heron.host.compiler.target import CpuTarget, choose_target
from heron.host.compiler.weights import EMBEDDING, map_weights, write_weights
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import TINIEST, TinyDecoder, write_decoder


@pytest.mark.parametrize("decoder", [TINIEST, TinyDecoder(num_layers=1, formats=("Q8_0", "Q5_0"))])
def test_the_library_takes_just_the_weights_that_are_packed(decoder: TinyDecoder, tmp_path: Path) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", decoder))
    config, target = read_config(file), choose_target(EngineSettings())
    compiled = compile_decoder(plan_decoder(file, config, target, 2), target)
    reports: list[tuple[int, int]] = []
    entries = write_weights(file, config, tmp_path / "weights.bin", lambda done, total: reports.append((done, total)))
    assert {entry.name for entry in entries} == {EMBEDDING, *compiled.parameter_names}
    assert reports[-1][0] == reports[-1][1]
    mapped = map_weights(tmp_path / "weights.bin", entries)
    assert [(array.dtype.name, array.shape) for array in mapped] == [(entry.dtype, entry.shape) for entry in entries]


def test_layers_of_one_kind_share_their_kernels(tmp_path: Path) -> None:
    counts = []
    for num_layers in (1, 3):
        decoder = replace(TINIEST, num_layers=num_layers)
        file = open_gguf(write_decoder(tmp_path / f"{num_layers}.gguf", decoder))
        target = choose_target(EngineSettings())
        compiled = compile_decoder(plan_decoder(file, read_config(file), target, 1), target)
        counts.append(compiled.executable.mod.imports[0].inspect_source("ll").count("\ndefine "))
    assert counts[0] == counts[1]


def test_a_target_llvm_does_not_know_is_a_failed_compilation(tmp_path: Path) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TINIEST))
    target = CpuTarget("portable", "vax-unknown-none")
    with pytest.raises(CompileFailed, match=r"could not be compiled for portable vax"):
        compile_decoder(plan_decoder(file, read_config(file), target, 1), target)
