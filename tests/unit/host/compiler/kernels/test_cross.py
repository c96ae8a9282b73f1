"""The kernels for processors that no test machine has: they compile, which is all that can be seen from here."""

from pathlib import Path

import tvm

from heron.host.compiler.kernels.attention import attention
from heron.host.compiler.kernels.formats import Segment, find_format
from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.kernels.linear import LinearShape, build_linear
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.target import CpuTarget

AARCH64 = 183  # e_machine of an ELF header


def test_a_linear_and_attention_compile_for_aarch64(tmp_path: Path) -> None:
    isa, target = instruction_set("portable"), CpuTarget("portable", "aarch64-unknown-linux-gnu")
    linear = LinearShape((Segment(find_format("Q4_0"), 16),), 64, "none", single_row=True)
    functions = {
        "linear": build_linear(linear, isa, 2, "linear"),
        "attention": attention(AttentionShape(2, 1, 64, isa.lanes, target.cache_dtype), 1),
    }
    attributes = {**target.tvm_attributes(), "mattr": ["+neon", "+dotprod"]}
    module = tvm.compile(tvm.IRModule(functions), target=tvm.target.Target(attributes)).mod
    module.write_to_file(str(tmp_path / "kernels.o"), "o")
    header = (tmp_path / "kernels.o").read_bytes()[:20]
    assert header[:4] == b"\x7fELF"
    assert header[18] == AARCH64
    assert "fmla\tv" in module.inspect_source("s")
