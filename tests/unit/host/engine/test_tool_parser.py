"""Calls read from an answer as it comes: the same whatever its pieces, and no text is lost."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.tool_format import JSON, TAGS, ToolFormat, write_call
from heron.host.engine.tool_parser import CallParser
from heron.wire import ToolCall

NAMES = ("read", "list", "a.b")
TEXTS = st.text(st.sampled_from('ab {}<>\n`"tool_call/name:é'), max_size=30)
ARGUMENTS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.none(), st.lists(TEXTS)), max_size=3)
CALLS = st.builds(
    lambda name, arguments: ToolCall("", name, json.dumps(arguments, ensure_ascii=False)),
    st.sampled_from(NAMES),
    ARGUMENTS,
)
Read = tuple[str, list[tuple[str, str]]]


def read(text: str, cuts: list[int], form: ToolFormat = TAGS) -> Read:
    """The text and the calls of an answer that came in pieces."""
    parser = CallParser(form, NAMES)
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    parsed = [*(parser.push(piece) for piece in pieces), parser.push("", final=True)]
    calls = [(call.name, call.arguments) for part in parsed for call in part.tool_calls]
    return "".join(part.text for part in parsed), calls


CUTS = st.lists(st.integers(1, 400), max_size=40)


@given(text=TEXTS, cuts=CUTS, form=st.sampled_from([TAGS, JSON]))
def test_text_without_calls_comes_out_as_it_was(text: str, cuts: list[int], form: ToolFormat) -> None:
    assert read(text, cuts, form) == (text, [])


@given(text=st.text("ab <\n", max_size=12), calls=st.lists(CALLS, min_size=1, max_size=3), cuts=CUTS)
def test_marked_calls_after_text(text: str, calls: list[ToolCall], cuts: list[int]) -> None:
    answer = "\n".join([text, *(write_call(TAGS, call) for call in calls)])
    assert read(answer, cuts) == (text.rstrip(), [(call.name, call.arguments) for call in calls])


@given(call=CALLS, cuts=CUTS, indent=st.sampled_from([None, 2]), fenced=st.booleans())
def test_unmarked_calls_of_known_tools(call: ToolCall, cuts: list[int], indent: int | None, fenced: bool) -> None:
    value = {"name": call.name, "arguments": json.loads(call.arguments)}
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    answer = f"```json\n{written}\n```" if fenced else written
    assert read(answer, cuts) == ("", [(call.name, call.arguments)])
    assert read(answer[:-3].rstrip("`") + "```" if fenced else answer, [])[1]


@given(call=CALLS, cuts=CUTS)
def test_a_bare_call_is_the_whole_answer(call: ToolCall, cuts: list[int]) -> None:
    assert read(write_call(JSON, call), cuts, JSON) == ("", [(call.name, call.arguments)])
    told = "So: " + write_call(JSON, call)
    assert read(told, cuts, JSON) == (told, [])


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "read", "argum',
        "<tool_call>\nnot JSON\n</tool_call>",
        '<tool_call>\n{"name": 5, "arguments": {}}\n</tool_call>',
        '<tool_call>\n{"name": "read", "arguments": []}\n</tool_call>',
        '{"name": "unknown", "arguments": {}}',
        '```json\n{"name": "my-app", "version": 1}\n```',
        "<tool_call>" + "[" * 100_000,
    ],
)
def test_what_is_no_call_is_text(text: str) -> None:
    assert read(text, [5, 20]) == (text, [])


def test_a_fence_that_is_never_closed_is_none_the_worse() -> None:
    assert read('```json\n{"name": "list", "arguments": {}}', [10])[1] == [("list", "{}")]


def test_text_comes_as_soon_as_it_cannot_be_a_call() -> None:
    parser = CallParser(TAGS, NAMES)
    assert parser.push("So <tool").text == "So"
    assert parser.push("s> {").text == " <tools>"
    assert parser.push(' "name" }').text == ' { "name" }'
