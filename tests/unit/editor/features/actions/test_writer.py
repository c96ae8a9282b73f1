"""What the model is shown and what counts as its answer."""

import pytest

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.actions.instruct import edit_by_instruction
from heron.editor.features.actions.writer import Hole, Writer
from heron.errors import EditRefused, InvalidRequest
from heron.wire import Message
from unit.editor.features.actions.spots import Model, spot_in

SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"


def ask(text: str) -> ChatAsk:
    return ChatAsk((Message("user", text),))


async def test_secrets_are_not_shown() -> None:
    model = Model(lambda ask: "yes", lambda infill: "1")
    await Writer(model).answer(ask(f"token = '{SECRET}'"))
    await Writer(model).fill(Hole(f"token = '{SECRET}'\n", f"# {SECRET}", 8))
    shown = model.asked[0].messages[0].content + model.holes[0].prompt + (model.holes[0].suffix or "")
    assert "token" in shown
    assert SECRET not in shown


async def test_code_with_a_secret_is_not_rewritten() -> None:
    spot = spot_in("python", f"def f():\n    │token = '{SECRET}'\n    return token\n")
    with pytest.raises(EditRefused, match="secret"):
        await edit_by_instruction(spot, "Shorten", Writer(Model()))


@pytest.mark.parametrize("instruction", ["", "  \n", "x" * 2001])
async def test_an_instruction_has_to_say_something(instruction: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 2000 characters"):
        await edit_by_instruction(spot_in("python", "x│ = 1\n"), instruction, Writer(Model()))


@pytest.mark.parametrize("text", ["", "no", "[1]", "{", '{"a": }'])
async def test_an_answer_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(EditRefused, match="JSON object"):
        await Writer(Model(lambda ask: text)).answer_object(ask("?"))


async def test_an_object_in_a_fence_is_read() -> None:
    model = Model(lambda ask: 'Sure:\n```json\n{"a": "b"}\n```')
    assert await Writer(model).answer_object(ask("?")) == {"a": "b"}
