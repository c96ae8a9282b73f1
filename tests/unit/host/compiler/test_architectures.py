from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.compiler.architectures import read_config, rope_frequencies
from heron.host.compiler.layer_tensors import layer_tensors, output_tensors, reorder_heads
from heron.host.models.gguf import GgufFile, dequantize, open_gguf
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder


def open_decoder(folder: Path, **changes: Any) -> GgufFile:
    return open_gguf(write_decoder(folder / "tiny.gguf", TinyDecoder(**changes)))


def test_config_says_what_the_file_says(tmp_path: Path) -> None:
    config = read_config(open_decoder(tmp_path))
    assert (config.family, config.num_layers, config.hidden, config.feed_forward) == ("qwen2", 2, 256, 512)
    assert (config.num_heads, config.num_kv_heads, config.head_size, config.vocab_size) == (4, 2, 64, 100)
    assert config.epsilon == pytest.approx(1e-6)
    assert config.traits.biases == ("qkv",)


def test_tied_models_use_the_embedding_as_output(tmp_path: Path) -> None:
    assert output_tensors(open_decoder(tmp_path, tied=True))[0].name == "token_embd.weight"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"family": "bloom"}, "architecture 'bloom'; Heron runs llama, qwen2"),
        ({"family": "qwen3moe"}, r"'qwen3moe' \(a mixture of experts\)"),
        ({"family": "deepseek2"}, r"'deepseek2' \(multi-head latent attention\)"),
        ({"family": "mamba"}, r"'mamba' \(state-space layers\)"),
        ({"head_size": 24, "formats": ("Q8_0",)}, "attention heads of 24; Heron runs multiples of 16 up to 256"),
        ({"metadata": (("rope.scaling.type", "yarn"),)}, "RoPE scaling 'yarn'"),
        ({"metadata": (("rope.dimension_count", 96),)}, "RoPE on 96 of 64 dimensions"),
        ({"metadata": (("expert_count", 8),)}, "mixture of experts"),
        ({"num_heads": 3, "formats": ("Q8_0",)}, "3 query heads for 2"),
    ],
)
def test_what_is_not_supported_is_named(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        read_config(open_decoder(tmp_path, **changes))


def test_a_missing_key_or_tensor_is_a_corrupt_model(tmp_path: Path) -> None:
    file = open_decoder(tmp_path)
    metadata = {key: value for key, value in file.metadata.items() if key != "qwen2.block_count"}
    with pytest.raises(CorruptModel, match="block_count"):
        read_config(GgufFile(file.path, metadata, file.tensors))
    tensors = {name: tensor for name, tensor in file.tensors.items() if name != "blk.1.ffn_up.weight"}
    with pytest.raises(CorruptModel, match=r"no tensor blk\.1\.ffn_up\.weight"):
        layer_tensors(GgufFile(file.path, file.metadata, tensors), read_config(file), 1)


def test_llama_rows_are_put_back_so_that_halves_pair(tmp_path: Path) -> None:
    file = open_decoder(tmp_path, family="llama")
    query = file.tensors["blk.0.attn_q.weight"]
    before, after = dequantize(query), dequantize(reorder_heads(query, read_config(file)))
    for head in range(4):
        rows = slice(head * 64, head * 64 + 64)
        np.testing.assert_array_equal(after[rows][:32], before[rows][0::2])
        np.testing.assert_array_equal(after[rows][32:], before[rows][1::2])


def test_linear_scaling_slows_the_rotation(tmp_path: Path) -> None:
    (tmp_path / "scaled").mkdir()
    plain = open_decoder(tmp_path)
    scaled = open_decoder(tmp_path / "scaled", metadata=(("rope.scaling.type", "linear"), ("rope.scaling.factor", 4)))
    frequencies = rope_frequencies(plain, read_config(plain))
    assert frequencies[0, 0] == 1.0
    np.testing.assert_allclose(rope_frequencies(scaled, read_config(scaled)), frequencies / 4)
