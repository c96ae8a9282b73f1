"""Token healing: the answer begins with what was taken back, however the vocabulary spells it."""

from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.healing import Healing, TokensByText
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.host.engine.stream import TextStream
from heron.wire import Delta
from unit.host.engine.fake_runner import FakeRunner
from unit.host.engine.sequences import make_sequence

TEXTS = [
    b"",
    b"r",
    b"re",
    b"ret",
    b"return",
    b" ",
    b"  ",
    b"\xff",
    b"\xff\xff",
    b"\x00",
    b"re\x00",
    b"retry",
    b"s",
    b"q",
]
TOKENS = TokensByText(TEXTS.__getitem__, len(TEXTS))


def spellings(text: bytes) -> list[bytes]:
    return [TEXTS[token_id] for token_id in TOKENS.spelling(text).nonzero()[0].tolist()]


def test_what_begins_ends_or_goes_on_from_a_text_may_come() -> None:
    assert spellings(b"ret") == [b"r", b"re", b"ret", b"return", b"retry"]
    assert spellings(b" ") == [b" ", b"  "]
    assert spellings(b"\xff") == [b"\xff", b"\xff\xff"]


@given(st.binary(min_size=1, max_size=4) | st.sampled_from([text for text in TEXTS if text]))
def test_spellings_are_those_a_look_at_every_token_finds(text: bytes) -> None:
    expected = [item for item in TEXTS if item and (item.startswith(text) or text.startswith(item))]
    assert spellings(text) == expected


def test_healing_ends_with_the_token_that_completes_the_text() -> None:
    healing = Healing(TOKENS, b"ret")
    healing.accept(b"re")
    assert (healing.num_left, healing.done) == (1, False)
    healing.accept(b"try")
    assert healing.done


def test_the_reader_sees_only_what_comes_after_the_text_taken_back() -> None:
    """Bytes of tokens here: 1 to 13 are letters from "b" on; 14 is "bcd", which spells what was taken back and more."""
    texts = [b"", *(bytes([97 + index]) for index in range(1, 14)), b"bcd", b"x"]
    runner = FakeRunner(16, 4)
    loop = StepLoop(runner, Vocabulary(frozenset({0}), texts.__getitem__), SchedulerLimits())
    for taken_back in (b"b", b"bc"):
        sequence = make_sequence([5, 6, 7], max_tokens=3)
        sequence.healing = Healing(TokensByText(texts.__getitem__, 16), taken_back)
        sequence.stream = TextStream(texts.__getitem__, (), len(taken_back))
        loop.scheduler.add(sequence)
        deltas = finish(loop)
        spelt = b"".join(texts[token_id] for token_id in sequence.token_ids[3:])
        assert spelt.startswith(taken_back)
        assert "".join(delta.text for delta in deltas) == spelt[len(taken_back) :].decode()
        usage = deltas[-1].usage
        assert usage is not None
        assert usage.prompt_tokens + usage.completion_tokens == len(sequence.token_ids)
        assert usage.completion_tokens <= 3


def finish(loop: StepLoop) -> list[Delta]:
    deltas = []
    while loop.has_work:
        for _, outcome in loop.step():
            assert isinstance(outcome, Delta)
            deltas.append(outcome)
    return deltas
