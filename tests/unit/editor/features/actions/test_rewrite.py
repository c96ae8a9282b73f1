"""Rewritings by a model: taken, asked for again, refused."""

import pytest

from heron.editor.features.actions.instruct import edit_by_instruction
from heron.editor.features.actions.writer import Writer
from heron.errors import EditRefused, InvalidRequest
from unit.editor.features.actions.spots import Model, changed, spot_in

DOCUMENT = "def has(items, x):\n    for i in items:\n        if i == x:\n            │return True\n    return False\n"
GOOD = "Sure!\n```python\ndef has(items, x):\n    return x in items\n```\nShorter."
BROKEN = "```python\ndef has(items, x):\n    return x in (items\n```"
SAME = f"```python\n{DOCUMENT.replace('│', '')}```"
LAZY = "```python\ndef has(items, x):\n    # ... rest of the code\n    pass\n```"


async def rewrite(*answers: str) -> str:
    remaining = list(answers)
    model = Model(lambda ask: remaining.pop(0), lambda infill: "")
    spot = spot_in("python", DOCUMENT)
    return changed(spot, await edit_by_instruction(spot, "Use `in`.", Writer(model)))


async def test_prose_and_fences_are_left_out() -> None:
    assert await rewrite(GOOD) == "def has(items, x):\n    return x in items\n"


@pytest.mark.parametrize("first", [BROKEN, SAME, LAZY])
async def test_what_is_not_usable_is_asked_for_once_more(first: str) -> None:
    assert await rewrite(first, GOOD) == "def has(items, x):\n    return x in items\n"


@pytest.mark.parametrize(
    ("answer", "reason"), [(BROKEN, "not valid python"), (SAME, "Nothing changed"), (LAZY, "leaves code out")]
)
async def test_what_is_twice_not_usable_is_refused_with_the_reason(answer: str, reason: str) -> None:
    with pytest.raises(EditRefused, match=reason):
        await rewrite(answer, answer)


@pytest.mark.parametrize("instruction", ["", "  ", "x" * 2001])
async def test_an_instruction_has_a_length(instruction: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 2000 characters"):
        await edit_by_instruction(spot_in("python", DOCUMENT), instruction, Writer(Model(lambda a: "", lambda i: "")))
