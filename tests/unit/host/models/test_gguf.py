import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import CorruptModel, ModelUnavailable, UnsupportedModel
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import GgufFile, dequantize, open_gguf
from tiny_models import write_gguf


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "whole.gguf").read_bytes()


def reopen(content: bytes, folder: Path) -> GgufFile:
    """Open content from a new file: one that is still mapped must not be rewritten."""
    path = folder / f"{len(list(folder.iterdir()))}.gguf"
    path.write_bytes(content)
    return open_gguf(path)


def test_metadata_has_python_values(whole: bytes, tmp_path: Path) -> None:
    file = reopen(whole, tmp_path)
    assert file.architecture == "qwen2"
    assert file.metadata["qwen2.block_count"] == 2
    assert file.metadata["qwen2.rope.freq_base"] == pytest.approx(1e6)
    assert file.metadata["tokenizer.ggml.tokens"][0x21:][:3] == ["!", '"', "#"]
    assert set(file.metadata["tokenizer.ggml.token_type"]) == {1, 3, 4, 5}


def test_tensors_have_rows_first_and_their_values(whole: bytes, tmp_path: Path) -> None:
    tensors = reopen(whole, tmp_path).tensors
    expected = np.linspace(-1, 1, 3 * 64, dtype=np.float32).reshape(3, 64)
    assert {name: (tensor.type_name, tensor.shape, tensor.data.shape) for name, tensor in tensors.items()} == {
        "norm": ("F32", (64,), (1, 256)),
        "half": ("F16", (3, 64), (3, 128)),
        "linear": ("Q8_0", (3, 64), (3, 68)),
    }
    np.testing.assert_array_equal(dequantize(tensors["norm"]), expected[0])
    np.testing.assert_allclose(dequantize(tensors["half"]), expected, atol=1e-3)
    np.testing.assert_allclose(dequantize(tensors["linear"]), expected, atol=1e-2)
    assert not tensors["linear"].data.flags.writeable


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no model file"):
        open_gguf(tmp_path / "none.gguf")
    with pytest.raises(ModelUnavailable, match="no model file"):
        open_gguf(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"GG", "not a GGUF file"),
        (b"PK\x03\x04 a zip file", "not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 3), "header runs past the end"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "announces 1152921504606846976 entries"),
    ],
)
def test_what_is_not_gguf_is_refused_in_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match=sentence):
        reopen(content, tmp_path)


def test_an_unknown_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"version 1; Heron reads versions 2 and 3"):
        reopen(b"GGUF" + struct.pack("<IQQ", 1, 0, 0), tmp_path)


def test_a_file_cut_in_its_tensors_is_refused(whole: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="'linear' ends at byte"):
        reopen(whole[:-64], tmp_path)


def test_an_unknown_number_format_is_named(whole: bytes, tmp_path: Path) -> None:
    info = b"linear" + struct.pack("<IQQ", 2, 64, 3)
    altered = whole.replace(info + struct.pack("<I", 8), info + struct.pack("<I", 250))
    with pytest.raises(UnsupportedModel, match="unknown number format 250"):
        reopen(altered, tmp_path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_never_raises_anything_but_our_errors(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    with suppress(CorruptModel, UnsupportedModel):
        file = reopen(bytes(content[:length]), tmp_path_factory.mktemp("damaged"))
        tokenizer = Tokenizer.from_gguf(file)
        tokenizer.decode(tokenizer.encode("def x(): return 12"))
        for tensor in file.tensors.values():
            dequantize(tensor)
