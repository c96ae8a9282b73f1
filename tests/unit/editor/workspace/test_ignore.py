"""Ignore rules against git itself: whatever git ignores in a random tree, the walk leaves out, and nothing else."""

import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.editor.workspace.folders import open_workspace
from heron.editor.workspace.walk import walk, walk_files

NAMES = ("a", "b", "ab", "a.py", "b.py", "x", "a b", "[a]", "!a", "#a")
patterns = st.one_of(
    st.sampled_from(
        [
            *(
                "a",
                "/a",
                "a/",
                "*.py",
                "!a.py",
                "!b.py",
                "a/*",
                "!a/b",
                "**/b",
                "a/**",
                "a/**/b",
                "/*",
                "!/a/",
                "*",
                "!*/",
            ),
            *(
                "!a/",
                "b/",
                "[ab]",
                "[!a]",
                "?",
                "a?",
                "\\!a",
                "\\#a",
                "#a",
                "!#a",
                "a b",
                "a\\ b",
                "*b",
                "!ab",
                "/a/b/",
            ),
            *("", " ", "\\[a\\]", "a*", "**/", "!/x", "x/", "[a-b].py", "a/b", "!a/b/x", "a.", "/**", "a ", "b\t"),
        ]
    ),
    st.text(st.sampled_from("ab*?!/[]."), min_size=1, max_size=5),
)
ignore_files = st.lists(patterns, max_size=5)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


@settings(deadline=None, max_examples=20)
@given(
    st.lists(paths, min_size=1, max_size=12),
    ignore_files,
    st.dictionaries(paths, ignore_files, max_size=2),
    ignore_files,
)
def test_the_walk_finds_what_git_does_not_ignore(
    files: list[str], root: list[str], nested: dict[str, list[str]], exclude: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        made = [path for path in files if make(folder / path, "x\n")]
        git(folder, "init", "--quiet")
        (folder / ".git" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "info" / "exclude").write_text("\n".join(exclude))
        (folder / ".gitignore").write_text("\n".join(root) + "\n")
        for place, lines in nested.items():
            if (folder / place).is_dir():
                (folder / place / ".gitignore").write_text("\n".join(lines) + "\n")
        shown = git(folder, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
        expected = {path for path in shown if path in made}
        found = {str(path.relative_to(folder)) for path in walk(open_workspace([folder]))}
        assert {path for path in found if not path.endswith(".gitignore")} == expected


def make(path: Path, content: str) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    except OSError:
        return False
    return True


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.excludesFile=/dev/null", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_ignore_files_of_the_repository_around_the_workspace(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("*.log\n/work/top.py\n")
    (tmp_path / "work" / "deep").mkdir(parents=True)
    for name in ("a.log", "top.py", "deep/a.log", "deep/top.py"):
        (tmp_path / "work" / name).write_text("x")
    found = walk(open_workspace([tmp_path / "work"]))
    assert [str(path.relative_to(tmp_path)) for path in found] == ["work/deep/top.py"]


def test_heronignore_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.gen.py\n")
    (tmp_path / ".heronignore").write_text("!keep.gen.py\nprivate/\n")
    (tmp_path / "private").mkdir()
    for name in ("a.gen.py", "keep.gen.py", "a.py", "private/a.py"):
        (tmp_path / name).write_text("x")
    names = [path.name for path in walk(open_workspace([tmp_path]))]
    assert names == [".gitignore", ".heronignore", "a.py", "keep.gen.py"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa.py\r\nb.py\r\n", b"\xff\xfe\na.py\nb.py", b"[\na.py\nb.py\n\\"])
def test_unusual_ignore_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".gitignore").write_bytes(content)
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("x")
    skipped: Counter[str] = Counter()
    found = [Path(found.path).name for found in walk_files(open_workspace([tmp_path]), skipped)]  # type: ignore[arg-type]
    assert found == [".gitignore", "c.py"]
    assert skipped == {"ignored": 2}
