"""What the page of the API says of types; the page of the real application is in tests/protocol/test_http_docs.py."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.host.api.docs_page import describe, render_page

_TYPES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.builds(lambda kind: {"type": kind}, st.text()),
        st.builds(lambda name: {"$ref": f"#/components/schemas/{name}"}, st.text()),
        st.builds(lambda values: {"enum": values}, st.lists(st.text() | st.integers() | st.none())),
        st.builds(lambda value: {"const": value}, st.text()),
    ),
    lambda inner: st.one_of(
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner)),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "object", "additionalProperties": values}, inner),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Chat"}, '<a href="#type-Chat">Chat</a>'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "array", "items": {"$ref": "#/x/A"}, "maxItems": 3}, 'array of <a href="#type-A">A</a>, at most 3'),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"type": "integer", "minimum": 0, "maximum": 600.0}, "integer, from 0 to 600"),
        ({"enum": ["a", "<b>"]}, "<code>&quot;a&quot;</code> or <code>&quot;&lt;b&gt;&quot;</code>"),
        ({"const": 1}, "<code>1</code>"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": {}}, "array"),
        ({}, "anything"),
    ],
)
def test_a_type_in_words(schema: dict[str, Any], words: str) -> None:
    assert describe(schema) == words


def test_what_is_required_and_what_stands_for_what_is_left_out() -> None:
    fields = {"a": {"type": "string"}, "b": {"type": "integer", "default": 5}}
    page = render_page(
        schema_of({"Body": {"properties": fields, "required": ["a"], "description": "Says `x < y`."}}), {}
    )
    assert "<td><code>a</code></td><td>string</td><td>required</td>" in page
    assert "<td><code>b</code></td><td>integer</td><td><code>5</code> if left out</td>" in page
    assert "Says <code>x &lt; y</code>." in page


@given(st.dictionaries(st.text(), _TYPES, max_size=3), st.text())
def test_whatever_a_schema_says_stays_text(properties: dict[str, Any], text: str) -> None:
    types = {"T": {"properties": properties, "description": f"{text}<script>"}}
    tags = Tags()
    tags.feed(render_page(schema_of(types), {text: f"{text}</article><script>"}))
    assert not tags.open, "each element is closed"
    assert "script" not in tags.seen


class Tags(HTMLParser):
    """Which elements a page has, and which of them are open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def schema_of(types: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"version": "1"}, "paths": {}, "components": {"schemas": types}}
