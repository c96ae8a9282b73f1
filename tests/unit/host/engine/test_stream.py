"""Streaming text: whatever the cuts between tokens, the parts make up the whole up to the first stop string."""

from hypothesis import example, given
from hypothesis import strategies as st

from heron.host.engine.stream import StopScanner, TextDecoder, TextStream, first_stop

STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=4).map(tuple)


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """Pieces of the given lengths, the rest in one."""
    pieces = []
    for length in lengths:
        pieces.append(data[:length])
        data = data[length:]
    return [*pieces, data]


@given(st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode)), st.lists(st.integers(0, 5)))
def test_never_shows_half_a_character(data: bytes, lengths: list[int]) -> None:
    decoder = TextDecoder()
    shown = "".join(decoder.push(piece) for piece in cut(data, lengths)) + decoder.finish()
    assert shown == data.decode("utf-8", errors="replace")


def test_waits_for_the_rest_of_a_character() -> None:
    decoder = TextDecoder()
    assert [decoder.push(bytes([byte])) for byte in "é🦉".encode()] == ["", "é", "", "", "", "🦉"]
    assert decoder.push(b"\xf0\x9f") == ""
    assert decoder.finish() == "\ufffd"


@given(st.text("ab\nc", max_size=20), STOPS, st.lists(st.integers(0, 4)))
@example("aab", ("ab",), [1, 1, 1])
def test_the_text_is_cut_at_the_stop_string_met_first(text: str, stops: tuple[str, ...], lengths: list[int]) -> None:
    stream = TextStream(lambda index: pieces[index], stops)
    pieces = cut(text.encode(), lengths)
    shown = ""
    for index in range(len(pieces)):
        shown += stream.push(index)
        if stream.stopped:
            break
    expected, stopped = _cut_at_stop(text, stops)
    assert stream.stopped == stopped
    assert shown + stream.finish() == expected


def _cut_at_stop(text: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """The text that a reader of one character at a time has when a stop string first ends it."""
    for end in range(len(text) + 1):
        met = [stop for stop in stops if text[:end].endswith(stop)]
        if met:
            return text[: end - max(map(len, met))], True
    return text, False


def test_holds_back_only_what_may_begin_a_stop_string() -> None:
    scanner = StopScanner(("\n\n", "END"))
    assert scanner.push("x\n") == "x"
    assert scanner.push("yE") == "\ny"
    assert scanner.push("N") == ""
    assert scanner.push("?") == "EN?"
    assert scanner.push("E") == ""
    assert scanner.finish() == "E"


def test_shows_nothing_after_a_stop_string() -> None:
    scanner = StopScanner(("|",))
    assert scanner.push("a|b") == "a"
    assert scanner.push("c") == scanner.finish() == ""
    assert scanner.stopped


def test_an_unfinished_character_can_not_hide_a_stop_string() -> None:
    stream = TextStream(lambda index: [b"a", b"\xe2\x82", b"|b"][index], ("|",))
    assert "".join(stream.push(index) for index in range(3)) + stream.finish() == "a\ufffd"
    assert stream.stopped


def test_the_stop_string_that_ends_first_counts() -> None:
    assert first_stop("abcd", ("abcd", "bc")) == 1
    assert first_stop("abc", ("bc", "abc")) == 0
    assert first_stop("abc", ("x",)) is None
