import json

from hypothesis import given
from hypothesis import strategies as st

from heron.editor.client.events import EventParser

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def parse(*chunks: bytes) -> list[str]:
    parser = EventParser()
    return [data for chunk in chunks for data in parser.feed(chunk)]


@given(st.lists(TEXTS, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_any_line_end_and_any_cut_give_the_same_events(texts: list[str], end: str, data: st.DataObject) -> None:
    sent = [json.dumps(text, ensure_ascii=False) for text in texts]
    # The comment closes the stream, because a last "\r" waits for what follows.
    stream = ("".join(f"data: {item}{end}{end}" for item in sent) + ": end").encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*chunks) == sent


def test_fields_other_than_data_are_ignored() -> None:
    assert parse(b": hello\nevent: x\nid: 1\nretry: 5\ndata:a\ndata:  b\n\n\n\ndata\n\n") == ["a\n b"]


def test_an_event_without_its_empty_line_waits() -> None:
    assert parse(b"data: a\n") == []


@given(st.binary(max_size=80))
def test_garbage_never_raises(data: bytes) -> None:
    parse(data)
