import os
from pathlib import Path

import pytest

from heron.host.engine.artefact_seal import LOADING_FILE, SEAL_FILE, find_damage, loading_from, sealed_artefact

FILES = {"manifest.json": b"{}", "weights.bin": b"\1" * 5000, "library.so": b"code"}


class Builder:
    """Builds an artefact where there is none, and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.num_built = 0

    def __call__(self) -> Path:
        if not self.folder.exists():
            self.num_built += 1
            self.folder.mkdir()
            for name, content in FILES.items():
                (self.folder / name).write_bytes(content)
        return self.folder


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    built = Builder(tmp_path / "artefact")
    sealed_artefact(built)
    return built


def damage(path: Path, *, secretly: bool = False) -> None:
    """Change one byte; secretly, as a failing disk does: size and time stay."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    if secretly:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_whole_artefact_is_built_once(builder: Builder) -> None:
    for _ in range(3):
        assert sealed_artefact(builder) == builder.folder
    assert builder.num_built == 1


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_found_and_the_artefact_built_anew(builder: Builder, name: str) -> None:
    damage(builder.folder / name)
    assert sealed_artefact(builder) == builder.folder
    assert builder.num_built == 2
    assert (builder.folder / name).read_bytes() == FILES[name]
    assert sealed_artefact(builder)
    assert builder.num_built == 2


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(builder: Builder, name: str) -> None:
    (builder.folder / name).unlink()
    assert find_damage(builder.folder) == name
    sealed_artefact(builder)
    assert builder.num_built == 2


def test_after_a_load_that_never_ended_every_byte_is_looked_at(builder: Builder) -> None:
    damage(builder.folder / "library.so", secretly=True)
    assert find_damage(builder.folder) == "", "nobody hashes gigabytes at each start"
    (builder.folder / LOADING_FILE).touch()
    assert find_damage(builder.folder) == "library.so"


def test_a_load_that_ends_leaves_no_mark_one_that_fails_does(builder: Builder) -> None:
    with loading_from(builder.folder):
        assert (builder.folder / LOADING_FILE).exists()
    assert not (builder.folder / LOADING_FILE).exists()
    with pytest.raises(ZeroDivisionError), loading_from(builder.folder):
        raise ZeroDivisionError
    assert (builder.folder / LOADING_FILE).exists()


def test_a_file_that_was_only_touched_is_whole(builder: Builder) -> None:
    (builder.folder / "weights.bin").touch()
    before = (builder.folder / SEAL_FILE).read_text()
    assert find_damage(builder.folder) == ""
    assert (builder.folder / SEAL_FILE).read_text() != before, "so that it is not hashed each time"


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"library.so": {}}'])
def test_a_damaged_seal_is_made_anew(builder: Builder, content: str) -> None:
    (builder.folder / SEAL_FILE).write_text(content)
    assert find_damage(builder.folder) == ""
    assert "sha256" in (builder.folder / SEAL_FILE).read_text()
