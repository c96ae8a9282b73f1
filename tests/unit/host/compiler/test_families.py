"""The table of families: what README says of it, and what a file's metadata makes of an entry."""

from pathlib import Path
from typing import Any

import pytest

from heron.errors import UnsupportedModel
from heron.host.compiler.architectures import read_config, rope_frequencies
from heron.host.compiler.families import FAMILIES, find_family
from heron.host.models.gguf import GgufFile, open_gguf
from unit.host.compiler.tiny_decoders import FAMILIES as DECODERS
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder

README = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")


def families_table() -> str:
    rows = [f"| `{family.architecture}` | {family.models} |" for family in FAMILIES]
    return "\n".join(["| `general.architecture` | models |", "|---|---|", *rows])


def test_the_table_of_families_is_up_to_date() -> None:
    shown = README.partition("test_families.py -->\n")[2].partition("<!-- end of families -->")[0].strip()
    assert shown == families_table(), f"put this between the marks:\n{families_table()}"


def test_an_unknown_architecture_is_told_all_that_are_run() -> None:
    with pytest.raises(UnsupportedModel) as raised:
        find_family("rwkv7")
    assert "state-space layers" in str(raised.value)
    assert all(family.architecture in str(raised.value) for family in FAMILIES)


def open_decoder(folder: Path, name: str, **changes: Any) -> GgufFile:
    return open_gguf(
        write_decoder(folder / "tiny.gguf", DECODERS[name] if not changes else TinyDecoder(name, **changes))
    )


def test_gemma_3_has_windows_with_a_rotation_of_their_own(tmp_path: Path) -> None:
    file = open_decoder(tmp_path, "gemma3")
    config = read_config(file)
    assert config.traits.windows == (20, 20, 0)
    assert config.traits.rotations == ("local", "local", "global")
    assert config.traits.embedding_scale == config.hidden**0.5
    assert rope_frequencies(file, config).shape == (2, 128)
    assert not config.traits.is_plain


def test_without_a_pattern_every_sixth_layer_of_gemma_3_sees_everything(tmp_path: Path) -> None:
    changes = {"num_layers": 7, "metadata": (("attention.sliding_window", 512),), "formats": ("Q8_0",)}
    traits = read_config(open_decoder(tmp_path, "gemma3", **changes)).traits
    assert traits.windows == (512, 512, 512, 512, 512, 0, 512)


def test_every_fourth_layer_of_smollm3_does_not_rotate(tmp_path: Path) -> None:
    file = open_decoder(tmp_path, "smollm3")
    config = read_config(file)
    assert config.traits.rotations == ("global", "global", "global", "none")
    assert not rope_frequencies(file, config)[1].any()


def test_granite_divides_its_logits(tmp_path: Path) -> None:
    traits = read_config(open_decoder(tmp_path, "granite")).traits
    assert traits.logit_scale == 0.25
    assert (traits.embedding_scale, traits.residual_scale) == (6.0, pytest.approx(0.3))


def test_llama_and_qwen2_are_plain(tmp_path: Path) -> None:
    for name in ("llama", "qwen2"):
        assert read_config(open_decoder(tmp_path, name)).traits.is_plain
