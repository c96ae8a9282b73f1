"""The gate with the real tools and a real index over files on disk."""

from pathlib import Path

import pytest

from heron.editor.context.index.index import Index
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Position, Range
from heron.editor.features.chat.attachments import (
    AttachedDiagnostics,
    AttachedFile,
    AttachedSelection,
    AttachedSymbol,
    Attachment,
)
from heron.editor.features.chat.gather import Gate, Gathered
from heron.editor.features.chat.question import read_question
from heron.editor.tools.builtin import make_tools
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Scene
from heron.editor.workspace.folders import open_workspace
from heron.settings import ToolsSettings

CART = "class Cart:\n    def total(self):\n        return 1\n\n\nclass Order:\n    def total(self):\n        return 2\n"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A workspace with two classes, a user of one, a test, and a secret."""
    work = tmp_path / "work"
    (work / "tests").mkdir(parents=True)
    (work / "cart.py").write_text(CART)
    (work / "till.py").write_text("from cart import Cart\n\nprint(Cart().total())\n")
    (work / "tests" / "test_cart.py").write_text("class Cart:\n    pass\n")
    (work / ".env").write_text("SECRET=hunter2\n")
    workspace = open_workspace([work])
    index = Index.open(tmp_path / "cache", workspace)
    index.scan(lambda progress: None)
    registry = Registry()
    for tool in make_tools(ToolsSettings()):
        registry.add(tool)
    found = (Diagnostic(Range(Position(1, 0), Position(1, 5)), "no such name"),)
    return Gate(registry, Scene(workspace, diagnostics=lambda uri: found, index=index))


async def gather(gate: Gate, text: str, *attachments: Attachment, thorough: bool = True) -> Gathered:
    return await gate.gather(read_question(text), attachments, thorough=thorough)


def places(gathered: Gathered) -> list[tuple[str, int, int]]:
    """Path and lines from 1 of each reference."""
    found = [find.reference for find in gathered.finds if find.reference]
    return [(place.path, place.range.start.line + 1, place.range.end.line + 1) for place in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What does `Cart` do?", [("cart.py", 1, 3)]),
        ("What is the Cart for?", [("cart.py", 1, 3)]),
        ("What does Order.total do?", [("cart.py", 7, 8)]),
        ("What does total of Order do? `total`", [("cart.py", 7, 8)]),
        ("What does `total` do?", [("cart.py", 2, 3), ("cart.py", 7, 8)]),
        ("Look at cart.py:6-8", [("cart.py", 6, 9)]),
        ("What is in ../secret.py and /etc/passwd?", []),
        ("What is in .env?", []),
    ],
)
async def test_what_a_question_names_is_found(gate: Gate, text: str, expected: list[tuple[str, int, int]]) -> None:
    assert places(await gather(gate, text)) == expected


async def test_uses_are_added_to_the_definition(gate: Gate) -> None:
    found = places(await gather(gate, "Who uses `Cart`?"))
    assert found[0] == ("cart.py", 1, 3)
    assert ("till.py", 3, 3) in found


async def test_words_are_searched_where_nothing_is_named(gate: Gate) -> None:
    assert places(await gather(gate, "what gets printed at the till"))


async def test_what_is_not_found_is_said(gate: Gate) -> None:
    assert (await gather(gate, "What is `Nothing`?")).notes == ["No definition of Nothing was found."]


async def test_a_model_that_chooses_is_given_only_what_was_pointed_at(gate: Gate) -> None:
    assert places(await gather(gate, "What does `Cart` do in till.py?", thorough=False)) == [("till.py", 1, 5)]


async def test_attachments(gate: Gate) -> None:
    document = Document("untitled:x.py", 1, "python", "a = 1\npassword = 'hunter2hunter2'\n")
    selection = AttachedSelection(document, Range(Position(0, 0), Position(2, 0)))
    diagnostics = AttachedDiagnostics("file:///x.py", Range(Position(1, 2), Position(1, 2)))
    files = AttachedFile("cart.py", Range(Position(0, 0), Position(0, 5)))
    gathered = await gather(gate, "?", selection, files, AttachedSymbol("Order"), diagnostics)
    texts = [find.passage.text for find in gathered.finds]
    assert places(gathered) == [("untitled:x.py", 1, 3), ("cart.py", 1, 2), ("cart.py", 6, 8)]
    assert "a = 1" in texts[0]
    assert "hunter2hunter2" not in texts[0]
    assert texts[1] == "class Cart:"
    assert texts[3] == "line 2: error: no such name"


async def test_private_files_are_refused_and_said(gate: Gate) -> None:
    gathered = await gather(gate, "?", AttachedFile(".env"), thorough=False)
    assert not gathered.finds
    assert "private" in gathered.notes[0]
