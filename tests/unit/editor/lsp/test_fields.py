from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from heron.editor.lsp.fields import read_fields
from heron.editor.lsp.protocol_chat import read_create, read_id, read_limit, read_rename, read_turn
from heron.errors import InvalidRequest

KEYS = ["conversationId", "message", "title", "limit", "workDoneToken", "textDocument", "uri", "selection", "range"]
KEYS += ["start", "end", "line", "character", "attachments", "kind", "name"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("selection"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@given(JSON)
def test_any_params_are_read_or_refused(params: object) -> None:
    for read in (read_create, read_id, read_limit, read_rename, read_turn):
        with suppress(InvalidRequest):
            read(params)


def test_a_wrong_value_is_named_with_its_place() -> None:
    fields = read_fields({"a": {"b": [{"c": True}]}})
    child = fields.child("a")
    assert child is not None
    with pytest.raises(InvalidRequest, match=r"a\.b\[0\]\.c must be a whole number from 1 to 2, not True") as told:
        child.children("b")[0].number("c", 1, (1, 2))
    assert told.value.param == "a.b[0].c"


def test_ranges() -> None:
    place = {"line": 1, "character": 2}
    assert read_fields({"r": {"start": place, "end": place}}).range("r") == types.Range(
        types.Position(1, 2), types.Position(1, 2)
    )
    assert read_fields({}).range("r") is None
