"""Code actions of the real 0.5B through a real `heron lsp`: the edit applies, parses, and stands where it belongs."""

import ast
from pathlib import Path

import pytest

from heron.commands.act import act
from heron.commands.client import Client, Cursor, open_client, open_document

CODE = """class Account:
    def withdraw(self, amount_cents: int, fee_cents: int = 0) -> int:
        if amount_cents + fee_cents > self.balance_cents:
            raise ValueError("not enough money")
        self.balance_cents -= amount_cents + fee_cents
        return self.balance_cents


def is_even(number: int) -> bool:
    # TODO: implement
    pass
"""


async def applied(client: Client, path: Path, at: str, title: str) -> str:
    """The code after an action at a place."""
    document = open_document(path, CODE)
    acted = await act(client, Cursor(document, document.position(CODE.index(at))), title)
    return document.edited(acted.edits).text


@pytest.mark.usefixtures("real_home")
async def test_a_documented_method_parses_and_tells_of_every_parameter(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        await client.wait_ready(lambda health: None)
        documented = await applied(client, tmp_path / "a.py", "withdraw", "Document withdraw")
        completed = await applied(client, tmp_path / "a.py", "pass", "Complete this TODO")
    (method,) = (node for node in ast.walk(ast.parse(documented)) if getattr(node, "name", "") == "withdraw")
    assert isinstance(method, ast.FunctionDef)
    told = ast.get_docstring(method)
    assert told is not None
    assert all(part in told for part in ("Args:", "amount_cents: ", "fee_cents: ", "Returns:", "ValueError: "))
    assert "TODO" not in completed
    scope: dict[str, object] = {}
    exec(completed, scope)
    is_even = scope["is_even"]
    assert callable(is_even)
    assert [is_even(number) for number in (0, 1, 2, 7)] == [True, False, True, False]
