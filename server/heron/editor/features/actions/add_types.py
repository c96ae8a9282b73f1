"""Add types to a function's parameters and result: by its defaults where they tell, else a hole each for the model."""

import builtins
import re
from collections.abc import Iterable

from heron.editor.document import Document, Edit, Position, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Hole, Writer
from heron.editor.syntax.signatures import Definition, Parameter
from heron.errors import EditRefused

_RESULT_MARK = {"python": " -> ", "typescript": ": ", "tsx": ": "}
_LITERALS = {
    "python": ((r"True|False", "bool"), (r"-?\d+", "int"), (r"-?\d+\.\d*", "float"), (r"f?['\"].*", "str")),
    "typescript": ((r"true|false", "boolean"), (r"-?\d+(?:\.\d+)?", "number"), (r"['\"`].*", "string")),
}
_NO_RESULT = {"python": "None", "typescript": "void", "tsx": "void"}
_OWN_TYPES = {
    "python": frozenset(name for name in vars(builtins) if name[0].islower()) | {"None"},
    "typescript": frozenset(
        {
            *("string", "number", "boolean", "void", "null", "undefined", "any", "unknown", "never", "object"),
            *("bigint", "symbol", "Array", "Record", "Map", "Set", "Promise", "Date", "RegExp", "Error", "Function"),
        }
    ),
}
_TYPE = re.compile(r"[\w.\[\]<>{}(), |&:;?=>\"'-]+")
_CONTEXT_CHARACTERS = 2_000
_MAX_TOKENS = 16


def offer_types(spot: Spot) -> Iterable[Offer]:
    """Offered for a function with a parameter or result that has no type."""
    if spot.definition is not None and _missing(spot.definition):
        yield Offer(f"Add types to {spot.definition.name}", "refactor.rewrite")


async def propose_types(choice: Choice, writer: Writer) -> Proposal:
    """The types that could be found; a parameter whose type is not known stays as it is."""
    spot, definition = choice.spot, choice.spot.definition
    if definition is None or spot.tree is None or not _missing(definition):
        raise EditRefused("There are no types to add here.")
    edits: list[Edit] = []
    for place, known, before in _missing(definition):
        text = known or await _ask(spot, definition, (place, before, edits), writer)
        edit = _annotation(spot, place, before, text)
        if text and not find_fault(spot.tree, [*edits, edit]):
            edits.append(edit)
    if not edits:
        raise EditRefused("The model knew no types for it.")
    return change_document(spot.document, f"Add types to {definition.name}", tuple(edits))


def _annotation(spot: Spot, place: Position, before: str, text: str) -> Edit:
    """The type in its place; in Python the equals sign of a default behind it gets spaces, as PEP 8 wants it."""
    line = spot.document.line(place.line)
    is_python = spot.language is not None and spot.language.name == "python"
    if not is_python or not line.startswith("=", place.column):
        return Edit(Range(place, place), before + text)
    optional = " | None" if line.startswith("=None", place.column) and "None" not in text else ""
    return Edit(Range(place, Position(place.line, place.column + 1)), f"{before}{text}{optional} = ")


Missing = tuple[Position, str, str]
"""Where a type goes, the type if it is known, and the mark before it."""


def _missing(definition: Definition) -> list[Missing]:
    language = definition.tree.language.name
    if language not in _RESULT_MARK or definition.kind != "function":
        return []
    untyped = [item for item in definition.parameters if not item.type]
    found = [(item.end, _type_of_default(item, language), ": ") for item in untyped]
    place = definition.parameters_end
    if place is not None and not definition.returns and definition.name not in ("constructor", "__init__"):
        has_result = definition.returns_value or definition.yields
        found.append((place, "" if has_result else _NO_RESULT[language], _RESULT_MARK[language]))
    if definition.name == "__init__" and place is not None and not definition.returns:
        found.append((place, "None", " -> "))
    return found


def _type_of_default(parameter: Parameter, language: str) -> str:
    literals = _LITERALS.get("typescript" if language == "tsx" else language, ())
    return next((name for form, name in literals if re.fullmatch(form, parameter.default, re.DOTALL)), "")


async def _ask(spot: Spot, definition: Definition, at: tuple[Position, str, list[Edit]], writer: Writer) -> str:
    """The type the model puts into one hole, the types before it in place; empty if it is none that is known here."""
    place, before, edits = at
    text = spot.document.edited([*edits, Edit(Range(place, place), before + "\0")]).text
    above, below = text.split("\0")
    last = definition.range.end
    rest = len(spot.document.text) - spot.document.offset(last)
    hole = Hole(
        above[-_CONTEXT_CHARACTERS:],
        below[: max(0, len(below) - rest)][:_CONTEXT_CHARACTERS],
        _MAX_TOKENS,
        ("\n",),
        lambda written: len(read_type(written)) < len(written),
    )
    found = read_type(await writer.fill(hole)).strip()
    return found if is_known(found, spot.document, definition.tree.language.name) else ""


def read_type(text: str) -> str:
    """The type a text begins with: up to what closes or parts parameters outside any bracket."""
    depth = 0
    for offset, character in enumerate(text):
        if character in "[(<{":
            depth += 1
        elif character in "])>}":
            depth -= 1
        if depth < 0 or (depth == 0 and character in ",=:;\n{") or (depth == 0 and text.startswith(" #", offset)):
            return text[:offset]
    return text


def is_known(text: str, document: Document, language: str) -> bool:
    """Whether a type is well formed and made of the language's own names and of names of the document."""
    if (
        not text
        or not _TYPE.fullmatch(text)
        or any(text.count(a) != text.count(b) for a, b in ("[]", "()", "<>", "{}"))
    ):
        return False
    own = _OWN_TYPES["python" if language == "python" else "typescript"]
    words = set(re.findall(r"[A-Za-z_]\w*", text))
    written = set(re.findall(r"[A-Za-z_]\w*", document.text))
    return all(word in own or (word in written and word[:1].isupper()) for word in words)


ADD_TYPES = Action("types", "refactor.rewrite", offer_types, propose_types)
