"""Folders of MLC-LLM's, made byte for byte, read as the model they were made of."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heron.errors import CorruptModel, ModelUnavailable, UnsupportedModel
from heron.host.compiler.reference import reference_logits
from heron.host.models.gguf import dequantize
from heron.host.models.mlc_file import open_mlc
from heron.host.models.open import open_model
from mlc_folders import MlcWriter, write_mlc_folder
from unit.host.compiler.tiny_decoders import FAMILIES, TINIEST, write_decoder

FAMILY_CASES = [
    (family, "q4f16_1")
    for family in ("llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "starcoder2-untied", "phi3")
]
QUANTIZATION_CASES = [
    ("llama", quantization) for quantization in ("q0f16", "q0f32", "q0bf16", "q4f32_1", "q4f16_0", "q4bf16_1")
]
IDS = np.random.default_rng(0).integers(0, 100, (1, 24)).astype(np.int32)


def make_folder(tmp_path: Path, family: str = "llama", quantization: str = "q4f16_1") -> Path:
    write_mlc_folder(write_decoder(tmp_path / "tiny.gguf", FAMILIES[family]), tmp_path / "m", MlcWriter(quantization))
    return tmp_path / "m"


@pytest.mark.parametrize(("family", "quantization"), FAMILY_CASES + QUANTIZATION_CASES)
def test_every_weight_and_the_logits_are_those_the_folder_stands_for(
    tmp_path: Path, family: str, quantization: str
) -> None:
    name, _, untied = family.partition("-")
    source = write_decoder(tmp_path / "tiny.gguf", replace(FAMILIES[name], tied=FAMILIES[name].tied and not untied))
    exact = write_mlc_folder(source, tmp_path / "m", MlcWriter(quantization, shard_bytes=1 << 16))
    found = open_model(tmp_path / "m")
    if family != "phi3":  # whose GGUF files have gate and up in one
        assert found.tensors.keys() == exact.tensors.keys()
    for name in found.tensors if family != "phi3" else ():
        np.testing.assert_array_equal(dequantize(found.tensors[name]), dequantize(exact.tensors[name]), name)
    np.testing.assert_allclose(reference_logits(found, IDS), reference_logits(exact, IDS), rtol=1e-3, atol=1e-4)


def test_float32_scales_lose_at_most_one_part_in_2048(tmp_path: Path) -> None:
    source = write_decoder(tmp_path / "tiny.gguf", FAMILIES["qwen2"])
    exact = write_mlc_folder(source, tmp_path / "m", MlcWriter("q4f32_1", halves_float32=False))
    name = "blk.0.ffn_down.weight"
    wanted, found = dequantize(exact.tensors[name]), dequantize(open_mlc(tmp_path / "m").tensors[name])
    assert np.abs(found - wanted).max() > 0
    assert (np.abs(found - wanted) <= np.abs(wanted) * 2**-11).all()


def test_the_llama_3_stretch_of_rope(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    change_config(folder, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    })  # fmt: skip
    factors = dequantize(open_mlc(folder).tensors["rope_freqs.weight"])
    assert factors[0] == 1.0
    assert factors[-1] == 8.0
    assert (np.diff(factors) >= 0).all()
    change_config(folder, rope_scaling={"rope_type": "yarn"})
    with pytest.raises(UnsupportedModel, match="yarn"):
        open_mlc(folder)


def test_a_sliding_window_is_the_context_of_a_model_that_has_no_other(tmp_path: Path) -> None:
    """Mistral's, as MLC-LLM writes them; a model without either is left to its own package."""
    folder = make_folder(tmp_path)
    for context, sliding, longest in ((-1, 96, 96), (200, 96, 96), (200, -1, 200), (-1, -1, 1)):
        change_whole(folder, context_window_size=context, sliding_window_size=sliding, model_type="mistral")
        assert open_mlc(folder).metadata["llama.context_length"] == longest


def change_whole(folder: Path, **values: object) -> None:
    path = folder / "mlc-chat-config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_config(folder: Path, **shape: object) -> None:
    path = folder / "mlc-chat-config.json"
    values = json.loads(path.read_text())
    values["model_config"] |= shape
    path.write_text(json.dumps(values | {key: shape[key] for key in shape if key in values}))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"model_type": "rwkv6"}, UnsupportedModel, "'rwkv6'; Heron's own engine runs llama"),
        ({"quantization": "q3f16_1"}, UnsupportedModel, "'q3f16_1'; Heron runs q0f16"),
        ({"hidden_size": 64}, CorruptModel, r"has the shape \(256, 16\); the configuration says"),
        ({"num_hidden_layers": 0}, CorruptModel, "model_config.num_hidden_layers is 0"),
        ({"num_hidden_layers": 3}, CorruptModel, "has no tensor model.layers.2.input_layernorm.weight"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, change: dict[str, object], kind: type[Exception], words: str
) -> None:
    folder = make_folder(tmp_path)
    change_config(folder, **change)
    with pytest.raises(kind, match=words):
        open_mlc(folder)


def test_a_code_of_15_and_a_folder_that_is_none(tmp_path: Path) -> None:
    source = write_decoder(tmp_path / "tiny.gguf", TINIEST)
    writer = MlcWriter("q4f16_1")
    write_mlc_folder(source, tmp_path / "m", writer)
    writer.tensors["model.layers.0.mlp.down_proj.q_weight"][0, 0] |= 15
    writer.write(tmp_path / "m")
    with pytest.raises(CorruptModel, match="codes of 15"):
        _ = open_mlc(tmp_path / "m").tensors["blk.0.ffn_down.weight"].data
    with pytest.raises(ModelUnavailable, match=r"no mlc-chat-config\.json"):
        open_model(tmp_path)
