"""Opening what was located, also when somebody changes the way there meanwhile."""

import os
from pathlib import Path

import pytest

from heron.editor.workspace.folders import Workspace, open_workspace
from heron.editor.workspace.opening import open_inside, read_bytes, read_text
from heron.errors import InvalidRequest, NoPermission, OutsideWorkspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "work" / "src").mkdir(parents=True)
    (tmp_path / "work" / "src" / "a.py").write_bytes(b"x = '\xc3\xa4'\r\n\xff")
    (tmp_path / "secret").write_text("secret")
    return open_workspace([tmp_path / "work"])


def test_text_of_a_file(workspace: Workspace) -> None:
    assert read_text(workspace, workspace.locate("src/a.py")) == "x = 'ä'\r\n\ufffd"
    assert read_bytes(workspace, workspace.locate("src/a.py"), 3) == b"x ="


def test_a_file_that_became_a_link_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    path = workspace.locate("src/a.py")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(OutsideWorkspace):
        open_inside(workspace, path)


def test_a_folder_that_became_a_link_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    path = workspace.locate("src/secret")
    (tmp_path / "work" / "src" / "a.py").unlink()
    (tmp_path / "work" / "src").rmdir()
    (tmp_path / "work" / "src").symlink_to(tmp_path)
    with pytest.raises((OutsideWorkspace, InvalidRequest)):
        open_inside(workspace, path)


def test_a_pipe_does_not_block(workspace: Workspace, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "work" / "pipe")
    with pytest.raises(InvalidRequest, match="not a readable file"):
        open_inside(workspace, tmp_path / "work" / "pipe")


@pytest.mark.parametrize(
    ("name", "sentence"), [("gone", "no file 'gone'"), ("src", "not a readable file"), ("src/a.py/b", "no file")]
)
def test_what_is_no_file(workspace: Workspace, name: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        open_inside(workspace, workspace.folders[0] / name)


def test_what_lies_outside(workspace: Workspace, tmp_path: Path) -> None:
    for path in (tmp_path / "secret", tmp_path / "work"):
        with pytest.raises(OutsideWorkspace):
            open_inside(workspace, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read(workspace: Workspace) -> None:
    path = workspace.locate("src/a.py")
    path.chmod(0)
    with pytest.raises(NoPermission):
        open_inside(workspace, path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [(".env", b"A=1", "private"), ("a.bin", b"a\0b", "not a text"), ("big", b"a" * 20, "larger than 10")],
)
def test_what_is_not_shown(workspace: Workspace, name: str, content: bytes, sentence: str) -> None:
    path = workspace.folders[0] / name
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=sentence):
        read_text(workspace, path, 10)


def test_descriptors_are_closed(workspace: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for name in ("src/a.py", "gone", "src", "src/a.py/b"):
        try:
            os.close(open_inside(workspace, workspace.folders[0] / name))
        except InvalidRequest:
            continue
    assert not before or len(os.listdir("/proc/self/fd")) == before
