"""Kernels are compiled once for a kind of card and kept. Without a driver TVM writes their source in the library."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from heron.errors import CompileFailed, UnsupportedModel
from heron.host.compiler.gpu import cuda_artefact
from heron.host.compiler.gpu.artefact import LIBRARY_FILE
from heron.host.compiler.gpu.cuda_artefact import ensure_cuda_artefact
from heron.host.models.gguf import GgufFile
from heron.host.models.progress import Progress
from mlc_folders import MlcWriter, write_mlc_folder
from unit.host.compiler.tiny_decoders import FAMILIES, TINIEST, TinyDecoder, write_decoder

needs_compiler = pytest.mark.skipif(
    shutil.which("nvcc") is None,
    reason="no nvcc here: nothing was compiled for CUDA",
)


def ensure(model: Path, architecture: str = "sm_90", **more: Any) -> tuple[Path, list[Progress]]:
    reports: list[Progress] = []
    return ensure_cuda_artefact(model, architecture, reports.append, **more), reports


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_decoder(tmp_path / "tiny.gguf", TINIEST)


@needs_compiler
def test_kernels_are_built_once_for_a_folder_of_mlc(model: Path, tmp_path: Path, heron_home: Path) -> None:
    """As for a GGUF file: kernels follow from the plan, which is the same."""
    write_mlc_folder(model, tmp_path / "folder", MlcWriter("q4f16_1"))
    model = tmp_path / "folder"

    def add(file: GgufFile, folder: Path) -> None:
        (folder / "extra.txt").write_text(file.architecture)

    folder, reports = ensure(model, extras=add)
    assert reports[-1].fraction == 1.0
    assert "cuda-sm_90" in folder.name
    assert folder.parent == heron_home / "artefacts"
    assert (folder / "extra.txt").read_text() == "llama"
    assert ensure(model) == (folder, [])
    assert (folder / LIBRARY_FILE).stat().st_size == json.loads((folder / "kernels.json").read_text())["bytes"]


def test_no_compiler_is_told_with_a_remedy(model: Path, heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_artefact, "find_toolkit", lambda: None)
    with pytest.raises(CompileFailed, match=r"no compiler for CUDA.*heron-lsp\[cuda\]"):
        ensure(model)
    assert [path for path in (heron_home / "artefacts").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(
    ("decoder", "sentence"),
    [(FAMILIES["gemma3"], "not yet gemma3"), (FAMILIES["llama-80"], "heads of 64 and 128, not yet of 80")],
)
def test_a_family_without_kernels_is_refused(tmp_path: Path, decoder: TinyDecoder, sentence: str) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        ensure(write_decoder(tmp_path / "other.gguf", decoder))
