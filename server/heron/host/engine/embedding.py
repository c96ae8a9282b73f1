"""The embedding: rows read from the weights file as they are asked for, and dequantised.

Read and not mapped: every row ever asked for of a mapping stays in the process, up to 140 MB that grow for days.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heron.host.compiler.manifest import WEIGHTS_FILE, Manifest
from heron.host.models.gguf import GgufTensor, dequantize

Float32 = npt.NDArray[np.float32]

_KEPT_ROWS = 1024
"""Dequantised rows that are kept for decoding, 4 to 16 MB: between steps no cache is warm, and a row takes 170 µs."""


class Embedding:
    """An artefact's embedding. It keeps the weights file open."""

    def __init__(self, artefact: Path, manifest: Manifest) -> None:
        self._entry = manifest.embedding
        self._type_name = manifest.embedding_type
        self._scale = np.float32(manifest.config.traits.embedding_scale)
        self._file = (artefact / WEIGHTS_FILE).open("rb", buffering=0)
        self._row = lru_cache(_KEPT_ROWS)(self._read_row)

    def read(self, token_ids: npt.NDArray[np.int32], into: Float32) -> None:
        """Write the rows of tokens to `into` [n, hidden], scaled as the family does; 2 µs each to read."""
        if len(token_ids) == 1:
            into[0] = self._row(int(token_ids[0]), into.shape[1])
        else:
            self._read_rows(token_ids, into)

    def _read_row(self, token_id: int, width: int) -> Float32:
        row: Float32 = np.empty(width, np.float32)
        self._read_rows(np.array([token_id], np.int32), row[None])
        return row

    def _read_rows(self, token_ids: npt.NDArray[np.int32], into: Float32) -> None:
        rows = np.empty((len(token_ids), *self._entry.shape[1:]), self._entry.dtype)
        for row, token_id in zip(rows, token_ids.tolist(), strict=True):
            self._file.seek(self._entry.offset + token_id * row.nbytes)
            self._file.readinto(row.view(np.uint8))
        values = dequantize(GgufTensor("embedding", self._type_name, into.shape, rows))
        np.multiply(values, self._scale, out=into)

    def close(self) -> None:
        """Close the file and drop the rows. Idempotent."""
        self._file.close()
        self._row.cache_clear()
