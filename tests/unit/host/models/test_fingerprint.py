"""A fingerprint stays while a model's files do, and changes with them."""

import os
from pathlib import Path

from heron.host.models.fingerprint import fingerprint


def test_a_file_that_is_written_anew_is_another(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"weights")
    before = fingerprint(model)
    assert fingerprint(model) == before
    os.utime(model, ns=(1, 1))
    assert fingerprint(model) != before


def test_any_file_of_a_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a", "below/b"):
        (tmp_path / name).write_bytes(b"x")
    before = fingerprint(tmp_path)
    (tmp_path / "below" / "b").write_bytes(b"xy")
    assert fingerprint(tmp_path) != before
