"""Diffs are cut by rules: every file stays named, and nothing is longer than allowed."""

from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.commit_message import MAX_SUBJECT, clean_subject, trim_diff


def diff_of(name: str, lines: int, kind: str = "") -> str:
    body = "".join(f" kept {number}\n+added {number}\n" for number in range(lines))
    header = f"diff --git a/{name} b/{name}\n{kind}index 1..2 100644\n--- a/{name}\n+++ b/{name}\n"
    return f"{header}@@ -1,{lines} +1,{2 * lines} @@ def f():\n{body}"


def test_a_small_diff_keeps_its_lines_and_loses_its_numbers() -> None:
    assert trim_diff(diff_of("a.py", 1)) == "changed: a.py\n@@ def f():\n kept 0\n+added 0"


def test_a_large_file_does_not_push_out_the_others() -> None:
    cut = trim_diff(diff_of("big.py", 1000) + diff_of("small.py", 2, "new file mode 100644\n"), 600)
    assert "changed: big.py" in cut
    assert "new file: small.py\n@@ def f():\n kept 0\n+added 0\n kept 1\n+added 1" in cut
    assert "+added 0\n+added 1" in cut  # of the large one the changed lines


def test_lock_files_are_only_named() -> None:
    assert trim_diff(diff_of("web/package-lock.json", 5)) == "changed: web/package-lock.json"


@given(st.lists(st.tuples(st.sampled_from(("a.py", "b/c.go", "x.lock")), st.integers(0, 60)), max_size=6))
def test_no_diff_is_too_long(files: list[tuple[str, int]]) -> None:
    assert len(trim_diff("".join(diff_of(name, lines) for name, lines in files), 500)) <= 500


@given(st.text())
def test_any_text_gives_one_short_line(text: str) -> None:
    subject = clean_subject(text)
    assert len(subject) <= MAX_SUBJECT
    assert "\n" not in subject


def test_a_long_subject_ends_with_a_whole_word() -> None:
    assert clean_subject('"' + "word " * 30 + '"') == " ".join(["word"] * 14)
