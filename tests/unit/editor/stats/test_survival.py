import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.stats.survival import Survival, find_change

ANY = st.text(st.sampled_from("abé\n"), max_size=30)


@pytest.mark.parametrize(
    ("edit", "pieces"),
    [
        ((0, 0, 3), ((13, 23),)),
        ((25, 26, 0), ((10, 20),)),
        ((12, 14, 0), ((10, 12), (12, 18))),
        ((12, 12, 5), ((10, 12), (17, 25))),
        ((5, 15, 1), ((6, 11),)),
        ((15, 30, 0), ((10, 15),)),
        ((0, 30, 7), ()),
        ((20, 20, 4), ((10, 20),)),
    ],
)
def test_an_edit_leaves_what_it_does_not_touch(edit: tuple[int, int, int], pieces: tuple[tuple[int, int], ...]) -> None:
    assert Survival(((10, 20),)).after(*edit).pieces == pieces


@given(ANY, ANY)
def test_a_change_is_found_as_one_replacement(before: str, now: str) -> None:
    start, end, length = find_change(before, now)
    assert 0 <= start <= end <= len(before)
    assert before[:start] + now[start : start + length] + before[end:] == now


@given(ANY, ANY, ANY, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), ANY), max_size=4))
def test_what_survives_still_stands_in_the_text(
    before: str, accepted: str, behind: str, edits: list[tuple[int, int, str]]
) -> None:
    """Each piece holds characters of the accepted text, in their order."""
    text = before + accepted.upper() + behind
    survival = Survival(((len(before), len(before) + len(accepted)),))
    for one, other, new in edits:
        start, end = sorted((min(one, len(text)), min(other, len(text))))
        changed = text[:start] + new + text[end:]
        survival = survival.after_change(Document("", 0, "", text), Document("", 0, "", changed))
        text = changed
    kept = "".join(text[start:end] for start, end in survival.pieces)
    assert kept == kept.upper()
    rest = iter(accepted.upper())
    assert all(character in rest for character in kept)
    assert survival.length == len(kept)
