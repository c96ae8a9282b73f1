from hypothesis import given
from hypothesis import strategies as st

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.features.warmth import Warmth
from heron.wire import Usage

LINES = [f"value_{number} = compute(value_{number - 1}, {number})\n" for number in range(40)]
TEXT = "".join(LINES)


def context(before: str, after: str = "") -> Context:
    document = Document("file:///a.txt", 1, "plaintext", before + after)
    return build_context(document, document.position(len(before)), None, Budget(4000, 1000, len))


def test_a_prompt_that_was_read_is_warm_while_its_line_is_typed() -> None:
    warmth = Warmth()
    assert warmth.cold_tokens(context(TEXT + "x", "\nend\n")) > 400
    warmth.note(context(TEXT + "x", "\nend\n"), None, 0.0)
    assert warmth.cold_tokens(context(TEXT + "x = y", "\nend\n")) < 8


def test_a_new_line_costs_itself_and_the_suffix() -> None:
    warmth = Warmth()
    warmth.note(context(TEXT + "x = y", "\nend\n"), None, 0.0)
    assert warmth.cold_tokens(context(TEXT + "x = y\nz", "\nend\n")) < 16


def test_a_place_further_up_in_what_was_read_is_warm() -> None:
    warmth = Warmth()
    warmth.note(context(TEXT), None, 0.0)
    assert warmth.cold_tokens(context("".join(LINES[:20]))) < 8


def test_speed_is_measured_and_tells_the_wait() -> None:
    warmth = Warmth()
    before = warmth.wait_ms(context(TEXT))
    for number in range(20):
        warmth.note(context(f"{number}\n"), Usage(prompt_tokens=1000), 0.1)
    assert warmth.wait_ms(context(TEXT)) < before / 10


def test_a_server_that_lost_its_cache_is_believed() -> None:
    warmth = Warmth()
    warmth.note(context(TEXT), None, 0.0)
    other = context("z = 1\n")
    warmth.note(other, Usage(prompt_tokens=800), 0.0)
    assert warmth.cold_tokens(context(TEXT)) > 400
    assert warmth.cold_tokens(other) < 4


def test_what_was_read_in_part_is_warm_in_part() -> None:
    warmth = Warmth()
    cold = warmth.cold_tokens(context(TEXT))
    warmth.note_part(context(TEXT), 0.5 * cold / 500)
    assert 0.3 * cold < warmth.cold_tokens(context(TEXT)) < 0.7 * cold


@given(st.lists(st.tuples(st.integers(0, 40), st.text("ab\n", max_size=5), st.floats(0, 2)), max_size=12))
def test_counts_stay_within_the_prompt(prompts: list[tuple[int, str, float]]) -> None:
    warmth = Warmth()
    fresh = Warmth()
    for lines, typed, seconds in prompts:
        asked = context("".join(LINES[:lines]) + typed)
        assert 1 <= warmth.cold_tokens(asked) <= fresh.cold_tokens(asked)
        if seconds < 1:
            warmth.note_part(asked, seconds)
        else:
            warmth.note(asked, None, seconds)
