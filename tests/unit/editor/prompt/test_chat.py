from hypothesis import given
from hypothesis import strategies as st

from heron.editor.prompt.chat import Passage, cut_text, fit_passages, write_question
from heron.editor.prompt.commands import COMMANDS, help_text, write_command


def count(text: str) -> int:
    return len(text.split())


def test_code_is_shown_with_its_place() -> None:
    shown = fit_passages([Passage("src/a.py", 9, "x = 1\ny = 2\n")], 100, count)
    assert write_question("Why?", shown) == (
        "Code from the workspace:\n\nsrc/a.py lines 10-11:\n```py\nx = 1\ny = 2\n```\n\nWhy?"
    )


def test_a_question_alone_stays_as_it_is() -> None:
    assert write_question("Why?", fit_passages([], 100, count)) == "Why?"


def test_a_fence_in_the_code_does_not_end_its_block() -> None:
    text = write_question("?", fit_passages([Passage("a.md", 0, "```\ninner\n```")], 100, count))
    assert "`````md\n```\ninner\n```\n`````" in text


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=40), max_size=5), st.integers(0, 300))
def test_what_is_shown_fits_the_budget(files: list[list[int]], budget: int) -> None:
    passages = [Passage(f"{n}.py", 0, "\n".join("w " * size for size in sizes)) for n, sizes in enumerate(files)]
    shown = fit_passages(passages, budget, count)
    assert sum(count(write_question("", fit_passages([one], 10**6, count))) - 4 for one in shown.passages) <= budget + 8
    assert len(shown.passages) + shown.num_dropped == len(passages)


def test_what_is_too_long_is_cut_at_a_line_from_its_beginning() -> None:
    passage = Passage("a.py", 0, "one two three four\n" * 50)
    shown = fit_passages([passage], 100, count)
    assert shown.num_cut == 1
    assert passage.text.startswith(shown.passages[0].text)
    assert shown.passages[0].text.endswith("\n")


def test_results_are_cut_with_a_note() -> None:
    cut = cut_text("one two three four\n" * 50, 60, count)
    assert cut.startswith("one two")
    assert cut.endswith("more lines left out]")
    assert cut_text("short", 60, count) == "short"


def test_commands_become_tasks() -> None:
    assert write_command("", "Why?") == "Why?"
    assert write_command("explain", "Shortly.").endswith("\nShortly.")
    assert all(f"/{name}" in help_text() for name in COMMANDS)
