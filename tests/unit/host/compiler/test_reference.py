from pathlib import Path

import numpy as np

from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.models.gguf import open_gguf
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder

TOKENS = np.array([[1, 5, 9, 60, 2, 2, 77], [1, 5, 9, 61, 3, 99, 0]], np.int32)


def test_a_token_depends_on_what_is_before_it_only(tmp_path: Path) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TinyDecoder()))
    logits = reference_logits(file, TOKENS)
    assert logits.shape == (2, 7, 100)
    np.testing.assert_allclose(logits[0, :3], logits[1, :3], rtol=1e-4, atol=1e-5)
    assert np.abs(logits[0, 4] - logits[1, 4]).max() > 1e-3
    np.testing.assert_allclose(reference_logits(file, TOKENS[:, :4]), logits[:, :4], rtol=1e-4, atol=1e-5)


def test_position_matters(tmp_path: Path) -> None:
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TinyDecoder(family="llama")))
    logits = reference_logits(file, np.array([[7, 8, 9, 3], [8, 7, 9, 3]], np.int32))
    assert np.abs(logits[0, 3] - logits[1, 3]).max() > 1e-3


def test_agreement_is_the_share_of_equal_choices() -> None:
    first = np.eye(4, dtype=np.float32)
    second = first[[0, 1, 2, 0]]
    assert argmax_agreement(first, second) == 0.75
