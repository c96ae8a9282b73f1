"""git_diff: what changed, and nothing that a hostile repository asks for."""

import subprocess
from pathlib import Path

import pytest

from unit.editor.tools.scenes import call, put, scene_of


def git(folder: Path, *words: str) -> None:
    config = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *config, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    put(folder, a__py="one\n", b__py="two\n", __env="KEY=old\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


async def test_changes_of_the_work_tree_and_of_the_index(repository: Path) -> None:
    put(repository, a__py="uno\n", b__py="dos\n")
    git(repository, "add", "b.py")
    scene = scene_of(repository)
    every = (await call(scene, "git_diff")).text
    assert "-one\n+uno" in every
    assert "-two\n+dos" in every
    staged = (await call(scene, "git_diff", is_staged=True)).text
    assert "uno" not in staged
    assert "+dos" in staged
    assert "dos" not in (await call(scene, "git_diff", path="a.py")).text


async def test_private_files_are_left_out(repository: Path) -> None:
    put(repository, __env="KEY=new\n")
    assert (await call(scene_of(repository), "git_diff")).text == "No changes."


async def test_a_folder_below_the_top_sees_its_own_changes(repository: Path) -> None:
    (repository / "sub").mkdir()
    put(repository / "sub", c__py="x\n")
    git(repository, "add", "-A")
    put(repository, a__py="uno\n")
    diff = (await call(scene_of(repository / "sub"), "git_diff")).text
    assert "c.py" in diff
    assert "uno" not in diff


async def test_no_repository_and_no_commit_are_told(tmp_path: Path) -> None:
    assert "not in a git repository" in (await call(scene_of(tmp_path), "git_diff")).text
    git(tmp_path, "init", "-q")
    assert "git cannot tell" in (await call(scene_of(tmp_path), "git_diff")).text


async def test_programs_the_repository_names_are_not_run(repository: Path) -> None:
    traps = [f"touch {repository.parent}/trap{number}; cat" for number in range(6)]
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    for key, trap in zip(
        (
            "filter.evil.clean",
            "filter.evil.process",
            "diff.evil.command",
            "diff.evil.textconv",
            "diff.external",
            "core.fsmonitor",
        ),
        traps,
        strict=True,
    ):
        git(repository, "config", key, trap)
    git(repository, "config", "filter.evil.required", "true")
    put(repository, a__py="uno\n")
    assert "+uno" in (await call(scene_of(repository), "git_diff")).text
    assert not list(repository.parent.glob("trap*"))


async def test_no_other_work_tree_or_repository_is_read(repository: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(outside, a__py="outside\n")
    git(repository, "config", "core.worktree", str(outside))
    assert "outside" not in (await call(scene_of(repository), "git_diff")).text
    for make in (
        lambda place: place.write_text(f"gitdir: {repository}/.git\n"),
        lambda place: place.symlink_to(repository / ".git"),
    ):
        folder = tmp_path / "borrowing"
        folder.mkdir(exist_ok=True)
        make(folder / ".git")
        outcome = await call(scene_of(folder), "git_diff")
        assert outcome.status == "error"
        assert "two" not in outcome.text
        (folder / ".git").unlink()


async def test_a_linked_worktree_is_its_own(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    put(tmp_path / "linked", a__py="uno\n")
    assert "-one\n+uno" in (await call(scene_of(tmp_path / "linked"), "git_diff")).text
