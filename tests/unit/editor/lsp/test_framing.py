import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.lsp.framing import MAX_BODY_BYTES, Fault, Framer, frame

BODIES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


def feed_all(*chunks: bytes) -> list[bytes | Fault]:
    framer = Framer()
    return [item for chunk in chunks for item in framer.feed(chunk)]


def bodies(items: list[bytes | Fault]) -> list[bytes]:
    return [item for item in items if isinstance(item, bytes)]


@given(BODIES, st.data())
def test_any_cut_of_the_stream_gives_the_same_bodies(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert feed_all(*chunks) == sent


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n",
        b"CONTENT-LENGTH:2\r\n",
        b"Content-Length: 2 \r\n",
        b"Content-Length: 2\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nX-Other: 9\r\n",
    ],
)
def test_header_forms(header: bytes) -> None:
    assert feed_all(header + b"\r\n{}" + frame(b"next")) == [b"{}", b"next"]


def test_a_header_without_a_length_is_told_and_the_next_message_read() -> None:
    items = feed_all(b"Content-Length: x\r\n\r\n{}" + frame(b"next") + frame(b"more"))
    assert isinstance(items[0], Fault)
    assert not items[0].fatal
    assert bodies(items) == [b"next", b"more"]


def test_an_overlong_message_is_skipped() -> None:
    size = MAX_BODY_BYTES + 5
    framer = Framer()
    items = list(framer.feed(b"Content-Length: %d\r\n\r\n" % size))
    for _ in range(size // (1 << 20)):
        items += framer.feed(bytes(1 << 20))
    items += framer.feed(bytes(size % (1 << 20)) + frame(b"next"))
    assert [type(item) for item in items] == [Fault, bytes]
    assert items[1] == b"next"


def test_an_absurd_length_is_fatal() -> None:
    (fault,) = feed_all(b"Content-Length: 1000000000000000\r\n\r\n{}")
    assert isinstance(fault, Fault)
    assert fault.fatal


def test_an_endless_header_line_is_dropped() -> None:
    items = feed_all(*[b"x" * 50_000] * 3, b"\r\n\r\n" + frame(b"next"))
    assert items[0] == Fault("The header line is too long.")
    assert bodies(items) == [b"next"]


def test_an_empty_body_is_a_fault() -> None:
    assert feed_all(b"Content-Length: 0\r\n\r\n" + frame(b"next")) == [Fault("The message is empty."), b"next"]


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_garbage_never_raises(chunks: list[bytes]) -> None:
    feed_all(*chunks)
