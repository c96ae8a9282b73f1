"""Arguments as dataclasses: their schema, and values through it."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.tools.arguments import argument, arguments_schema, build_arguments
from heron.editor.tools.builtin import make_tools
from heron.editor.tools.tool import Scene, ToolResult
from heron.editor.tools.typed_tool import typed_tool
from heron.editor.tools.validation import check_tool
from heron.errors import InvalidRequest
from heron.settings import ToolsSettings


@dataclass(frozen=True, slots=True)
class Everything:
    """Take one of each."""

    text: str = argument("A text")
    count: int = argument("A count", default=3, minimum=1)
    share: float = argument("A share", default=0.5)
    flag: bool = argument("A flag", default=False)
    kind: Literal["a", "b"] = argument("A kind", default="a")
    names: tuple[str, ...] = argument("Names", default=())


def everything(arguments: Everything, scene: Scene) -> ToolResult:
    return ToolResult(json.dumps(asdict(arguments)))


TOOL = typed_tool(everything)
CHECK = check_tool(TOOL)


def test_name_description_and_parameters_come_from_the_code() -> None:
    assert (TOOL.spec.name, TOOL.spec.description) == ("everything", "Take one of each.")
    assert json.loads(TOOL.spec.parameters) == arguments_schema(Everything)
    assert arguments_schema(Everything) == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "A text"},
            "count": {"type": "integer", "minimum": 1, "description": "A count"},
            "share": {"type": "number", "description": "A share"},
            "flag": {"type": "boolean", "description": "A flag"},
            "kind": {"enum": ["a", "b"], "description": "A kind"},
            "names": {"type": "array", "items": {"type": "string"}, "description": "Names"},
        },
        "required": ["text"],
        "additionalProperties": False,
    }


def test_other_types_are_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        when: bytes = argument("?")

    with pytest.raises(InvalidRequest, match="cannot be of type"):
        arguments_schema(Odd)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.floats(-2, 2)
    | st.text(max_size=3)
    | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("text", "count", "share", "flag", "kind", "names", "other")


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_what_passes_the_check_can_be_built_and_nothing_else_passes(values: dict[str, Any]) -> None:
    try:
        checked = CHECK(json.dumps(values))
    except InvalidRequest:
        assert not is_right(values)
        return
    assert is_right(values)
    built = build_arguments(Everything, checked)
    assert type(built.count) is int
    assert type(built.share) is float
    assert isinstance(built.names, tuple)


def is_right(values: dict[str, Any]) -> bool:
    """The schema once more, by hand."""

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    count, names = values.get("count", 3), values.get("names", [])
    return (
        "other" not in values
        and isinstance(values.get("text"), str)
        and is_number(count)
        and count == int(count)
        and count >= 1
        and is_number(values.get("share", 0.5))
        and isinstance(values.get("flag", False), bool)
        and (values.get("kind", "a") in ("a", "b") if isinstance(values.get("kind", "a"), str) else False)
        and isinstance(names, list)
        and all(isinstance(name, str) for name in names)
    )


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_makes_the_check_fall_over(text: str) -> None:
    with suppress(InvalidRequest):
        assert isinstance(CHECK(text), dict)


def test_what_models_are_told_of_all_tools_stays_short() -> None:
    specs = [tool.spec for tool in make_tools(ToolsSettings(run_command=True))]
    assert len({spec.name for spec in specs}) == 12 - 1
    assert sum(len(spec.description) + len(spec.parameters) for spec in specs) < 5_000


def test_commands_are_off_unless_allowed() -> None:
    consents = [
        {tool.spec.name: tool.consent for tool in make_tools(ToolsSettings(run_command=on))} for on in (False, True)
    ]
    assert [consent["run_command"] for consent in consents] == ["off", "ask_each"]
    assert {name for name, consent in consents[0].items() if consent == "ask"} == {"apply_edit"}
