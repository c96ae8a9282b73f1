"""grep: text and patterns over what may be seen, as it stands in the editor."""

from pathlib import Path

from heron.editor.document import Document
from unit.editor.tools.scenes import call, put, scene_of


async def test_text_is_found_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    put(tmp_path / "src", a__py="x = 1\n  needle(2) needle\n", b__js="Needle\n")
    scene = scene_of(tmp_path)
    outcome = await call(scene, "grep", pattern="needle(")
    assert outcome.text == "src/a.py:2: needle(2) needle"
    assert [reference.range.start.line for reference in outcome.references] == [1]
    both = await call(scene, "grep", pattern="needle", ignore_case=True)
    assert both.text.splitlines() == ["src/a.py:2: needle(2) needle", "src/b.js:1: Needle"]
    assert (await call(scene, "grep", pattern=r"^\s+ne+dle\(\d\)", is_regex=True)).text.startswith("src/a.py:2")


async def test_globs_choose_files(tmp_path: Path) -> None:
    (tmp_path / "src/deep").mkdir(parents=True)
    put(tmp_path, a__py="needle")
    put(tmp_path / "src", b__py="needle", c__js="needle")
    put(tmp_path / "src/deep", d__py="needle")
    scene = scene_of(tmp_path)

    async def files(glob: str) -> list[str]:
        text = (await call(scene, "grep", pattern="needle", glob=glob)).text
        return [line.partition(":")[0] for line in text.splitlines()]

    assert await files("*.py") == ["a.py", "src/b.py", "src/deep/d.py"]
    assert await files("src/**/*.py") == ["src/b.py", "src/deep/d.py"]
    assert await files("./src/*.js") == ["src/c.js"]


async def test_open_documents_are_searched_as_they_stand(tmp_path: Path) -> None:
    put(tmp_path, a__py="needle")
    document = Document((tmp_path / "a.py").as_uri(), 3, "python", "\nthread")
    scene = scene_of(tmp_path, document)
    assert (await call(scene, "grep", pattern="needle")).text == "No matches."
    assert (await call(scene, "grep", pattern="thread")).text == "a.py:2: thread"


async def test_matches_are_limited(tmp_path: Path) -> None:
    put(tmp_path, a__py="needle\n" * 500)
    outcome = await call(scene_of(tmp_path), "grep", pattern="needle")
    assert len(outcome.references) == 50
    assert outcome.text.endswith("[more matches; narrow the search]")


async def test_patterns_that_are_wrong_or_never_end_are_told_of(tmp_path: Path) -> None:
    put(tmp_path, a__py="a" * 40 + "!")
    scene = scene_of(tmp_path)
    assert "no regular expression" in (await call(scene, "grep", pattern="(", is_regex=True)).text
    assert "takes too long" in (await call(scene, "grep", pattern="^(a|a|aa)*$", is_regex=True)).text
    assert "is empty" in (await call(scene, "grep", pattern="")).text
