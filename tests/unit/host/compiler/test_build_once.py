"""A folder is built once, anew when it is damaged, and never found half."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from heron.errors import CorruptModel
from heron.host.compiler.build_once import build_once, name_folder


def check(folder: Path) -> None:
    if (folder / "content").read_text() != "whole":
        raise CorruptModel("The content is damaged.")


def write(folder: Path) -> None:
    (folder / "content").write_text("whole")


def refuse(folder: Path) -> None:
    raise AssertionError("nothing was to be built")


def test_built_once_and_anew_when_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "artefacts" / "model-kind-build"
    build_once(folder, check, write)
    build_once(folder, check, refuse)
    (folder / "content").write_text("half")
    build_once(folder, check, write)
    check(folder)


def test_two_at_once_build_once(tmp_path: Path) -> None:
    folder, builds = tmp_path / "model-kind-build", list[Path]()
    starting, writing = threading.Barrier(2), threading.Barrier(2)

    def build() -> None:
        starting.wait()
        build_once(folder, check, write_slowly)

    def write_slowly(partial: Path) -> None:
        builds.append(partial)
        with suppress(threading.BrokenBarrierError):
            writing.wait(0.2)  # for the other one, were it let in
        write(partial)

    threads = [threading.Thread(target=build), threading.Thread(target=build)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(folder)
    assert len(builds) == 1


def test_a_failed_build_leaves_nothing_and_the_old_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "model-kind-build"
    with pytest.raises(AssertionError):
        build_once(folder, check, refuse)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_differs_only_in_the_build_is_replaced(tmp_path: Path) -> None:
    older, other = tmp_path / "model-cuda-sm_90-older", tmp_path / "model-cuda-sm_86-older"
    older.mkdir()
    other.mkdir()
    build_once(tmp_path / "model-cuda-sm_90-newer", check, write)
    assert not older.exists()
    assert other.exists()


def test_kind_and_target_name_the_folder(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"content")
    first = name_folder(model, "cuda-sm_90", "sm_90")
    assert first.name.startswith("m-")
    assert "-cuda-sm_90-" in first.name
    assert name_folder(model, "cuda-sm_90", "sm_90") == first
    assert name_folder(model, "cuda-sm_90", "other") != first
    model.write_bytes(b"another")
    assert name_folder(model, "cuda-sm_90", "sm_90") != first
