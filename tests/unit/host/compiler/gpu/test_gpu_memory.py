"""What a model will take of a card is told exactly, but for the allowance for CUDA itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heron.host.compiler.architectures import read_config
from heron.host.compiler.gpu.memory import card_need
from heron.host.compiler.gpu.model import count_weight_bytes, load_model, plan_kernels
from heron.host.compiler.gpu.program import count_buffer_bytes
from heron.host.compiler.gpu.shapes import CUDA_LIMITS, METAL_LIMITS, GpuLimits
from heron.host.models.gguf import open_gguf
from heron.host.models.mlc_file import open_mlc
from mlc_folders import MlcWriter, write_mlc_folder
from unit.host.compiler.tiny_decoders import TINIEST, TinyDecoder, write_decoder


class Scales:
    """A device that only weighs what is put on it."""

    num_bytes = 0
    limits = CUDA_LIMITS

    def upload(self, array: Any) -> None:
        self.num_bytes += array.nbytes


@pytest.mark.parametrize("decoder", [TinyDecoder(), TinyDecoder("llama", formats=("Q4_1", "Q6_K"), tied=True)])
def test_weights_are_counted_to_the_byte(tmp_path: Path, decoder: TinyDecoder) -> None:
    file, scales = open_gguf(write_decoder(tmp_path / "tiny.gguf", decoder)), Scales()
    config = read_config(file)
    load_model(file, config, scales)  # type: ignore[arg-type]
    assert count_weight_bytes(file, config) == scales.num_bytes


def test_buffers_and_pages(tmp_path: Path) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TinyDecoder()))
    config = read_config(file)
    need, buffers = card_need(file, config), count_buffer_bytes(plan_kernels(file, config))
    assert need.page_bytes == 2 * 2 * 2 * 16 * 64 * 2
    assert buffers > 512 * 128 * 4  # the logits alone
    assert need.fixed_bytes > count_weight_bytes(file, config) + buffers


@pytest.mark.parametrize(("quantization", "kind"), [("q4f16_1", "Q4_0"), ("q0f16", "Q8_0"), ("q0f32", "Q8_0")])
@pytest.mark.parametrize("limits", [CUDA_LIMITS, METAL_LIMITS])
def test_a_folder_of_mlc_takes_the_kernels_of_the_same_gguf_file(
    tmp_path: Path, quantization: str, kind: str, limits: GpuLimits
) -> None:
    source = write_decoder(tmp_path / "tiny.gguf", replace(TINIEST, formats=(kind,)))
    write_mlc_folder(source, tmp_path / "m", MlcWriter(quantization))
    plans = [plan_kernels(file, read_config(file), limits) for file in (open_gguf(source), open_mlc(tmp_path / "m"))]
    assert plans[0] == plans[1]


@pytest.mark.parametrize(
    ("hidden", "limits", "joined"),
    [(256, CUDA_LIMITS, True), (4352, CUDA_LIMITS, False), (256, METAL_LIMITS, True), (2816, METAL_LIMITS, False)],
)
def test_norms_join_their_linears_where_a_block_holds_them(
    tmp_path: Path, hidden: int, limits: GpuLimits, joined: bool
) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TinyDecoder(hidden=hidden, feed_forward=256)))
    roles = {linear.role for linear in plan_kernels(file, read_config(file), limits).linears}
    assert roles == ({"plain", "qkv", "gate_up"} if joined else {"plain"})
