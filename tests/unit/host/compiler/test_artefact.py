import os
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from heron.errors import CorruptModel, DiskFull, ModelUnavailable, NoPermission, UnsupportedModel
from heron.host.compiler.artefact import artefact_folder, ensure_artefact
from heron.host.compiler.manifest import WEIGHTS_FILE, read_manifest
from heron.host.compiler.target import choose_target
from heron.host.models.gguf import GgufFile
from heron.host.models.progress import Progress
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import TINIEST, TinyDecoder, write_decoder

SETTINGS = EngineSettings(threads=1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_decoder(tmp_path / "tiny.gguf", TINIEST)


def ensure(model: Path, settings: EngineSettings = SETTINGS, **more: Any) -> tuple[Path, list[Progress]]:
    reports: list[Progress] = []
    return ensure_artefact(model, settings, reports.append, **more), reports


def test_an_artefact_is_built_whole_once_and_anew_when_damaged(model: Path, heron_home: Path) -> None:
    def add(file: GgufFile, folder: Path) -> None:
        (folder / "extra.txt").write_text(file.architecture)

    folder, reports = ensure(model, extras=add)
    assert folder.parent == heron_home / "artefacts"
    check_progress(reports)
    check_content(folder)
    assert ensure(model) == (folder, [])
    os.truncate(folder / WEIGHTS_FILE, 1000)
    with pytest.raises(CorruptModel, match="damaged"):
        read_manifest(folder)
    assert ensure(model, extras=add)[0] == folder
    check_content(folder)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(CorruptModel, match="damaged"):
        read_manifest(folder)


def check_progress(reports: list[Progress]) -> None:
    fractions = [report.fraction or 0.0 for report in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {report.state for report in reports} == {"compiling"}


def check_content(folder: Path) -> None:
    """A folder has what its manifest says, and the extras."""
    manifest = read_manifest(folder)
    assert (folder / "extra.txt").read_text() == "llama"
    assert all(entry.offset % 4096 == 0 for entry in manifest.parameters)
    assert manifest.sizes[WEIGHTS_FILE] == (folder / WEIGHTS_FILE).stat().st_size
    assert manifest.config.num_layers == 1
    assert [len(table) for table in manifest.rope_frequencies] == [32]


def test_the_key_changes_with_model_threads_and_instruction_set(model: Path) -> None:
    portable, detected = (choose_target(EngineSettings(instruction_set=name)) for name in ("portable", "auto"))
    first = artefact_folder(model, detected, 1)
    assert artefact_folder(model, detected, 1) == first
    assert artefact_folder(model, detected, 2) != first
    if portable != detected:
        assert artefact_folder(model, portable, 1) != first
    write_decoder(model.with_name("other.gguf"), TINIEST, seed=1).replace(model)
    assert artefact_folder(model, detected, 1) != first


def test_a_failed_build_leaves_nothing(tmp_path: Path, heron_home: Path) -> None:
    model = write_decoder(tmp_path / "yarn.gguf", TinyDecoder(metadata=(("rope.scaling.type", "yarn"),)))
    with pytest.raises(UnsupportedModel, match="yarn"):
        ensure(model)
    assert [path.name for path in (heron_home / "artefacts").iterdir() if path.is_dir()] == []


def test_a_missing_model_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no model file"):
        ensure(tmp_path / "none.gguf")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a place where not even root may write")
def test_a_home_that_may_not_be_written_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", "/sys/heron")
    with pytest.raises(NoPermission, match=r"/sys/heron.* may not be written"):
        ensure(model)


def test_a_full_disk_is_named_and_nothing_is_left(model: Path, heron_home: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(DiskFull, match=r"No space to compile tiny\.gguf .* set HERON_HOME"):
            ensure(model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (heron_home / "artefacts").iterdir() if path.is_dir()] == []
