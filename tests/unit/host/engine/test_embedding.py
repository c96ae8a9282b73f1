import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heron.host.compiler.architectures import read_config
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.manifest import WEIGHTS_FILE, Manifest, WeightEntry
from heron.host.engine.embedding import Embedding
from heron.host.engine.memory import resident_bytes
from heron.host.models.gguf import open_gguf
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder

WIDTH, LARGE_ROWS = 1024, 16384


def make_embedding(folder: Path, rows: int, scale: float = 1.0) -> Embedding:
    """Rows of WIDTH values behind 64 bytes of something else; the values of row i are i."""
    config = read_config(open_gguf(write_decoder(folder / "tiny.gguf", TINIEST)))
    config = replace(config, traits=replace(config.traits, embedding_scale=scale))
    with (folder / WEIGHTS_FILE).open("wb") as file:
        file.write(os.urandom(64))
        for row in range(rows):
            file.write(np.full(WIDTH, row, np.float32).tobytes())
    entry = WeightEntry("embedding", "uint8", (rows, 4 * WIDTH), 64)
    attention = AttentionShape(1, 1, 64, 16, "float16")
    manifest = Manifest(config, attention, "", 1, "shared-object", (), entry, "F32", (), {})
    return Embedding(folder, manifest)


def test_rows_are_those_of_the_tokens_scaled(tmp_path: Path) -> None:
    embedding, into = make_embedding(tmp_path, 8, scale=0.5), np.empty((3, WIDTH), np.float32)
    embedding.read(np.array([7, 0, 3], np.int32), into)
    np.testing.assert_array_equal(into, np.repeat([[3.5], [0.0], [1.5]], WIDTH, axis=1))
    embedding.close()
    embedding.close()
    with pytest.raises(ValueError, match="closed"):
        embedding.read(np.array([7], np.int32), into[:1])


def test_rows_read_do_not_stay_in_the_process(tmp_path: Path) -> None:
    embedding, into = make_embedding(tmp_path, LARGE_ROWS), np.empty((64, WIDTH), np.float32)
    embedding.read(np.arange(64, dtype=np.int32), into)
    before = resident_bytes()
    for first in range(64, LARGE_ROWS, 64):
        embedding.read(np.arange(first, first + 64, dtype=np.int32), into)
    assert into[-1, 0] == LARGE_ROWS - 1
    assert resident_bytes() - before < 4 * WIDTH * LARGE_ROWS / 2
    embedding.close()


def test_a_single_token_reads_as_in_a_batch_however_often(tmp_path: Path) -> None:
    embedding, into = make_embedding(tmp_path, 4, scale=0.5), np.empty((1, WIDTH), np.float32)
    for token in (3, 1, 3):
        embedding.read(np.array([token], np.int32), into)
        np.testing.assert_array_equal(into, np.full((1, WIDTH), token * 0.5))
        into[:] = -1  # a row that is kept must not be the caller's
    embedding.close()
