"""The index of runs against a search that reads the whole text."""

import time

from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.ngrams import LONGEST_MATCH, SIZES, Match, NgramIndex, RecentText

TEXTS = st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=5)
MOST = 7


def indexed(pieces: list[list[int]]) -> tuple[NgramIndex, list[int]]:
    index = NgramIndex()
    for piece in pieces:
        index.extend(piece)
    return index, [token_id for piece in pieces for token_id in piece]


def search(text: list[int], tail: list[int]) -> tuple[int, int] | None:
    """Where the latest occurrence in `text`, short of its end, of the longest run ends, and how far it matches."""
    for size in SIZES:
        for end in range(len(text) - 1, size - 1, -1):
            if len(tail) >= size and text[end - size : end] == tail[-size:]:
                length = size
                while length < min(end, len(tail), LONGEST_MATCH) and text[end - length - 1] == tail[-length - 1]:
                    length += 1
                return end, length
    return None


@given(TEXTS, st.lists(st.integers(0, 3), max_size=20))
def test_finds_the_latest_occurrence_of_the_longest_run(pieces: list[list[int]], tail: list[int]) -> None:
    index, text = indexed(pieces)
    found, expected = index.find(tail, MOST), search(text, tail)
    assert found == (expected and Match(expected[1], tuple(text[expected[0] : expected[0] + MOST])))


@given(TEXTS)
def test_its_own_end_is_found_before_its_end_and_continued_by_its_period(pieces: list[list[int]]) -> None:
    index, text = indexed(pieces)
    found, expected = index.find_own(MOST), search(text, text[-LONGEST_MATCH:])
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        end, length = expected
        guessed = list(text)
        for place in range(MOST):
            guessed.append(guessed[end + place])
        assert found == Match(length, tuple(guessed[len(text) :]))


def test_pieces_or_the_whole_give_the_same_index() -> None:
    text = [number * number % 7 for number in range(200)]
    alone, whole = indexed([[token_id] for token_id in text])[0], indexed([text])[0]
    assert alone._ends == whole._ends


@given(st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_recent_text_is_found_within_each_text_alone(texts: list[list[int]], tail: list[int]) -> None:
    recent = RecentText(capacity=64)
    for text in texts:
        recent.add(text)
    found = recent.find(tail, MOST)
    if found is None:
        assert not texts or search(texts[-1], tail) is None
        return
    run = [*tail[-found.length :], *found.continuation]
    assert len(run) > found.length
    assert any(text[start : start + len(run)] == run for text in texts for start in range(len(text)))


def test_recent_text_keeps_at_least_half_and_forgets_the_rest() -> None:
    recent = RecentText(capacity=100)
    for start in range(0, 3000, 30):
        recent.add(list(range(start, start + 30)))
        assert recent.find([start - 28, start - 27], 1) == (Match(2, (start - 26,)) if start else None)
        assert recent.find([start - 118, start - 117], 1) is None


def test_a_text_longer_than_half_keeps_its_end() -> None:
    recent = RecentText(capacity=100)
    recent.add(list(range(1000)))
    assert recent.find([990, 991], 2) == Match(2, (992, 993))
    assert recent.find([900, 901], 2) is None


def test_costs_little_for_each_token() -> None:
    text = [number * number % 997 for number in range(4000)]
    index = NgramIndex()
    began = time.thread_time()
    for token_id in text:
        index.extend([token_id])
        index.find_own(15)
    assert (time.thread_time() - began) / len(text) < 100e-6, "five times what a slow machine takes"
