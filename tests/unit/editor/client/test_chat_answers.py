import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.client.chat_answers import ChatReader
from heron.errors import HeronError
from heron.wire import Delta, ToolCall, Usage


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(name: str = "", arguments: Any = "", **fields: Any) -> dict[str, Any]:
    return {**fields, "type": "function", "function": {"name": name, "arguments": arguments}}


def read_all(*chunks: Any) -> list[Delta]:
    reader = ChatReader()
    return [*(reader.read(body) for body in chunks), *reader.end()]


def calls_of(deltas: list[Delta]) -> list[ToolCall]:
    return [made for delta in deltas for made in delta.tool_calls]


def test_text_and_usage() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    deltas = read_all(chunk(role="assistant", content=""), chunk(content="a"), chunk("stop"), {"usage": usage})
    assert deltas == [Delta(), Delta("a"), Delta(finish_reason="stop"), Delta(usage=Usage(5, 2, 4))]


def test_a_call_in_fragments() -> None:
    deltas = read_all(
        chunk(tool_calls=[call("grep", "", index=0, id="a")]),
        chunk(tool_calls=[call("", '{"pat', index=0)]),
        chunk(tool_calls=[call("", 'tern": 1}', index=0)]),
        chunk("tool_calls"),
    )
    assert deltas[-1] == Delta(finish_reason="tool_calls", tool_calls=(ToolCall("a", "grep", '{"pattern": 1}'),))
    assert calls_of(deltas[:-1]) == []


def test_fragments_of_two_calls_may_take_turns() -> None:
    deltas = read_all(
        chunk(tool_calls=[call("f", "{", index=0, id="a"), call("g", "[", index=1, id="b")]),
        chunk(tool_calls=[call("", "}", index=0), call("", "]", index=1)]),
        chunk("tool_calls"),
    )
    assert calls_of(deltas) == [ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]")]


@pytest.mark.parametrize(
    "sent",
    [
        [call("f", {"x": 1}), call("g", {"x": 2})],  # no index, no id, arguments as an object
        [call("f", '{"x": 1}', index=0, id="a"), call("g", '{"x": 2}', index=0, id="b")],  # one index for all
        [call("f", '{"x": 1}', id="a"), call("g", '{"x": 2}', id="b")],
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_whole_calls_as_foreign_servers_send_them(sent: list[dict[str, Any]], together: bool) -> None:
    chunks = [chunk(tool_calls=sent)] if together else [chunk(tool_calls=[one]) for one in sent]
    found = calls_of(read_all(*chunks, chunk("stop")))
    assert [(made.name, json.loads(made.arguments)) for made in found] == [("f", {"x": 1}), ("g", {"x": 2})]
    assert len({made.id for made in found}) == 2


def test_a_stop_with_calls_counts_as_tool_calls_and_a_call_without_arguments_has_none() -> None:
    last = read_all(chunk("stop", tool_calls=[call("f")]))[-1]
    assert last == Delta(finish_reason="tool_calls", tool_calls=(ToolCall("call_0", "f", "{}"),))


def test_a_stream_without_a_finish_reason_still_gives_its_calls() -> None:
    assert calls_of(read_all(chunk(tool_calls=[call("f", "{}", id="a")]))) == [ToolCall("a", "f", "{}")]


def test_content_in_parts() -> None:
    assert read_all(chunk(content=[{"type": "text", "text": "a"}, {"type": "image"}]))[0].text == "a"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "tool_calls", "function", "index", "id", "name", "content", "error"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4))
def test_any_json_is_read_or_refused_with_our_error(bodies: list[Any]) -> None:
    reader = ChatReader()
    with suppress(HeronError):
        for body in bodies:
            reader.read(body)
    reader.end()


@given(st.text(min_size=1, max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_any_cut_of_the_arguments_gives_the_same_call(text: str, cuts: list[int]) -> None:
    arguments = json.dumps({"x": text})
    edges = [0, *sorted(cut for cut in cuts if cut < len(arguments)), len(arguments)]
    parts = [arguments[start:stop] for start, stop in itertools.pairwise(edges)]
    first = chunk(tool_calls=[call("f", "", index=0, id="a")])
    rest = [chunk(tool_calls=[call("", part, index=0)]) for part in parts]
    assert calls_of(read_all(first, *rest, chunk("tool_calls"))) == [ToolCall("a", "f", arguments)]
