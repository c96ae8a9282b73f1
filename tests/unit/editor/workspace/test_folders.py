"""What may be named, and that nothing outside of the folders can be."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.workspace.folders import Workspace, open_workspace
from heron.errors import InvalidRequest, OutsideWorkspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder `work` with a file and links out of it; a secret beside it."""
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (work / "src" / "a.py").write_text("a")
    (work / "inside").symlink_to(work / "src")
    (work / "out").symlink_to(tmp_path / "beside")
    (work / "loop").symlink_to(work / "loop")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "secret").write_text("s")
    (tmp_path / "work2").mkdir()
    return open_workspace([work])


@pytest.mark.parametrize("text", ["src/a.py", "./src/a.py", "inside/a.py", "{work}/src/a.py", "file://{work}/src/a.py"])
def test_ways_to_name_a_file(workspace: Workspace, text: str) -> None:
    (work,) = workspace.folders
    assert workspace.locate(text.replace("{work}", str(work))) == work / "src" / "a.py"


def test_folders_and_new_files_can_be_named(workspace: Workspace) -> None:
    (work,) = workspace.folders
    assert workspace.locate(".") == work
    assert workspace.locate("src/new/b.py") == work / "src" / "new" / "b.py"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "../beside/secret",
            "src/../../beside/secret",
            "src/..",
            "out/secret",
            "out",
            "/etc/passwd",
            "{parent}/work2",
        ),
        *("{parent}", "file:///etc/passwd", "/dev/null", "/proc/self/environ"),
    ],
)
def test_what_leads_out_is_refused(workspace: Workspace, text: str) -> None:
    (work,) = workspace.folders
    with pytest.raises(OutsideWorkspace) as told:
        workspace.locate(text.replace("{parent}", str(work.parent)))
    assert told.value.hint


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "a\nb", "\ud800", "x" * 5000, "file://host/a", "file:a"])
def test_what_is_no_path_is_refused(workspace: Workspace, text: str) -> None:
    with pytest.raises(InvalidRequest):
        workspace.locate(text)


def test_devices_and_pipes_are_refused(workspace: Workspace) -> None:
    (work,) = workspace.folders
    os.mkfifo(work / "pipe")
    with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
        workspace.locate("pipe")


def test_a_link_to_itself_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InvalidRequest):
        workspace.locate("loop")


def test_several_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "b.py").write_text("")
    workspace = open_workspace([tmp_path / "one", tmp_path / "two", tmp_path / "one", tmp_path / "gone"])
    assert workspace.folders == (tmp_path / "one", tmp_path / "two")
    assert workspace.locate("b.py") == tmp_path / "two" / "b.py"
    assert workspace.locate("two/b.py") == tmp_path / "two" / "b.py"
    assert workspace.locate("new.py") == tmp_path / "one" / "new.py"
    assert workspace.relative(tmp_path / "two" / "b.py") == "two/b.py"


def test_folders_are_taken_as_what_they_link_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert open_workspace([tmp_path / "link"]).folders == (tmp_path / "real",)


def test_without_a_folder_nothing_is_inside() -> None:
    with pytest.raises(OutsideWorkspace, match="No folder is open"):
        Workspace().locate("a.py")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["..", ".", "src", "out", "inside", "loop", "a.py", "/", "~", "%2e%2e", ""]), max_size=8)
)
def test_whatever_is_named_lies_inside(workspace: Workspace, parts: list[str]) -> None:
    for text in ("/".join(parts), "file://" + "/".join(parts)):
        try:
            found = workspace.locate(text)
        except (OutsideWorkspace, InvalidRequest):
            continue
        assert Path(os.path.realpath(found)) == found
        assert found.is_relative_to(workspace.folders[0])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_any_text_is_located_or_refused(workspace: Workspace, text: str) -> None:
    with suppress(OutsideWorkspace, InvalidRequest):
        assert workspace.locate(text).is_relative_to(workspace.folders[0])
