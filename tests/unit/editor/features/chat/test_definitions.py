from pathlib import Path

import pytest

from heron.editor.context.index.symbol import Symbol
from heron.editor.document import Position, Range
from heron.editor.features.chat.definitions import Definition, Hints, choose_definitions
from heron.editor.syntax.tags import Kind


def defined(shown: str, container: str = "", kind: Kind = "method", name: str = "send") -> Definition:
    place = Range(Position(1, 0), Position(2, 0))
    return Definition(Symbol(name, kind, Path("/w") / shown, place, "", container, ""), shown)


CLIENT = defined("http/client.py", "Client")
ASYNC = defined("http/client.py", "AsyncClient")
TEST = defined("tests/test_client.py", "Client")
LOWER = defined("http/client.py", "", "variable", "Send")


@pytest.mark.parametrize(
    ("name", "hints", "expected"),
    [
        ("send", Hints(), (CLIENT, ASYNC)),
        ("Client.send", Hints(), (CLIENT,)),
        ("AsyncClient::send", Hints(), (ASYNC,)),
        ("client.send", Hints(), (CLIENT, ASYNC)),
        ("Nowhere.send", Hints(), (CLIENT, ASYNC)),
        ("send", Hints(words=frozenset({"AsyncClient"})), (ASYNC,)),
        ("send", Hints(near="tests/test_client.py"), (TEST,)),
        ("receive", Hints(), ()),
    ],
)
def test_what_is_meant(name: str, hints: Hints, expected: tuple[Definition, ...]) -> None:
    assert choose_definitions(name, [TEST, LOWER, ASYNC, CLIENT], hints) in (expected, expected[::-1])
