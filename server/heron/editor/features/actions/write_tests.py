"""Write a test for a function: file, imports and header are worked out, the model fills the body in."""

import re
from collections.abc import Iterable

from heron.editor.document import Document, Edit, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.imports import insert_import
from heron.editor.features.actions.proposal import FileChange, Proposal
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.tests_frame import Frame, find_frame
from heron.editor.features.actions.tests_place import find_test_file
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Hole, Writer
from heron.editor.syntax.signatures import Definition
from heron.editor.syntax.tree import Tree, parse
from heron.errors import EditRefused

_CODE_CHARACTERS = 3_000
_MAX_TOKENS = 160
_MAX_CUT = 5
_BORDER = re.compile(r"\n(?=[^\s})\]])|\n[ \t]*\n|\n(?=[)}\]])")


def offer_tests(spot: Spot) -> Iterable[Offer]:
    """Offered for a function of a language whose tests Heron can place, outside of tests."""
    definition, uri = spot.definition, spot.document.uri
    if definition is None or definition.kind != "function" or not uri.startswith("file:"):
        return
    is_test = "test" in uri.rsplit("/", 1)[-1].lower() or definition.name.lower().startswith("test")
    if not is_test and find_test_file(uri, definition.tree.language.name, lambda uri: False):
        yield Offer(f"Write a test for {definition.name}", "refactor.rewrite", creates=True)


async def propose_tests(choice: Choice, writer: Writer) -> Proposal:
    """A new test file, or a test at the end of the one there is."""
    spot, definition = choice.spot, choice.spot.definition
    if definition is None:
        raise EditRefused("There is no function here.")
    uri = find_test_file(spot.document.uri, definition.tree.language.name, choice.files.exists)
    if uri is None:
        raise EditRefused(f"Heron cannot place tests of {definition.tree.language.name}.")
    target = spot.document if uri == spot.document.uri else choice.files.read(uri)
    frame = find_frame(definition, uri, target.text.strip() if target else "")
    body = await _write_body(definition, frame, writer)
    before = target or Document(uri, 0, spot.document.language, "")
    edits = _edits(before, frame, body)
    version = before.version if target is not None and before.version > 0 else None
    return Proposal("Write a test", (FileChange(uri, version, edits, creates=target is None),))


async def _write_body(definition: Definition, frame: Frame, writer: Writer) -> str:
    """The statements up to the first blank line, or the first line that leaves the body."""
    document, place = definition.tree.document, definition.range
    code = document.text[document.offset(place.start) : document.offset(place.end)][:_CODE_CHARACTERS]
    prefix = f"{code}\n\n\n{frame.header}"
    hole = Hole(
        prefix, f"{frame.footer}{frame.closing}\n", _MAX_TOKENS, ("```",), lambda text: bool(_BORDER.search(text))
    )
    text = await writer.fill(hole)
    border = _BORDER.search(text)
    body = (text[: border.start()] if border else text).rstrip()
    if not body.strip():
        raise EditRefused("The model wrote no test.")
    return "\n".join(dict.fromkeys(body.split("\n")))  # a small model repeats its assertions


def _edits(before: Document, frame: Frame, body: str) -> tuple[Edit, ...]:
    """The edits that add the test to a file, without last lines that are broken off; EditRefused if none parse."""
    tree = parse(before)
    if tree is None:
        raise EditRefused("The test file is too large.")
    lines, fault = body.split("\n"), ""
    for count in range(len(lines), max(0, len(lines) - _MAX_CUT), -1):
        edits = _insertions(before, tree, frame, "\n".join(lines[:count]))
        fault = find_fault(tree, edits)
        if not fault:
            return edits
    raise EditRefused(f"The model's test was not usable: {fault}")


def _insertions(before: Document, tree: Tree, frame: Frame, body: str) -> tuple[Edit, ...]:
    end = before.position(len(before.text))
    lead = "" if not before.text or before.text.endswith("\n") else "\n"
    added = Edit(Range(end, end), lead + frame.around(body))
    needed = frame.statement if before.text.strip() else ""
    imported = insert_import(before, tree.language, needed) if needed else None
    return (imported, added) if imported else (added,)


TESTS = Action("tests", "refactor.rewrite", offer_tests, propose_tests)
