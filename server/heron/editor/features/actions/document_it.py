"""Document a function or class: form and place are worked out, the model only writes the words."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.document import Edit, Position, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.doc_plan import Role, Slot, plan_slots
from heron.editor.features.actions.doc_render import Layout, render_documentation
from heron.editor.features.actions.doc_style import DocStyle, find_style
from heron.editor.features.actions.doc_words import clean_words, fill_gaps
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Hole, Writer
from heron.editor.prompt.edit import ask_description
from heron.editor.syntax.gap import indent_of
from heron.editor.syntax.signatures import Definition
from heron.errors import EditRefused, InvalidRequest
from heron.wire import Message

_BEFORE_CHARACTERS = 1_200
_AFTER_CHARACTERS = 2_400
_MAX_TOKENS = 48
_MAX_WORDS_CHARACTERS = 180
_BEGINNINGS: dict[Role, str] = {
    "summary": "[A-Z][a-z]+ ",
    "parameter": "(The|A|An|Whether|How|What|Which) ",
    "returns": "(The|A|An|Whether|True|None|All) ",
    "yields": "(The|A|An|Each) ",
    "raises": "(If|When) ",
    "errors": "(If|When|Returns an error if) ",
    "panics": "(If|When|Panics if) ",
}
_HOLE = "\ufffc"


@dataclass(frozen=True)
class Place:
    """Where a documentation goes: `at` is the start of a line, or within a one-line body that it breaks up."""

    definition: Definition
    style: DocStyle

    @cached_property
    def is_docstring(self) -> bool:
        return self.style.form in ("google", "numpy", "rest", "plain")

    @cached_property
    def layout(self) -> Layout:
        document, definition = self.definition.tree.document, self.definition
        indent = indent_of(document.line(definition.first_line.start.line))
        unit = "\t" if indent.startswith("\t") else definition.tree.language.indent
        if not self.is_docstring:
            return Layout(indent, unit, definition.name)
        header = indent_of(document.line(definition.header_end.line)) if self._breaks_line else indent
        body = header + unit if self._breaks_line else indent_of(document.line(self._body.start.line))
        step = body.removeprefix(header) if body.startswith(header) and body != header else unit
        return Layout(body, step, definition.name)

    @cached_property
    def at(self) -> Range:
        """What is replaced: nothing at the start of a line, or the white space before a body in the header's line."""
        definition = self.definition
        if not self.is_docstring:
            start = Position(definition.first_line.start.line, 0)
            return Range(start, start)
        if self._breaks_line:
            return Range(definition.header_end, self._body.start)
        start = Position(definition.header_end.line + 1, 0)
        return Range(start, start)

    def edit(self, lines: list[str], newline: str) -> Edit:
        """The edit that puts the lines in their place."""
        text = newline.join(lines)
        if self.is_docstring and self._breaks_line:
            return Edit(self.at, f"{newline}{text}{newline}{self.layout.indent}")
        return Edit(self.at, text + newline)

    @property
    def _breaks_line(self) -> bool:
        return self._body.start.line == self.definition.header_end.line

    @property
    def _body(self) -> Range:
        body = self.definition.body
        assert body is not None
        return body


def offer_documentation(spot: Spot) -> Iterable[Offer]:
    """Offered on a definition without documentation, and preferred where a linter complains of just that."""
    definition = spot.definition
    if definition is None or spot.tree is None or definition.documentation or not _has_place(spot, definition):
        return
    wanted = next((n for n, item in enumerate(spot.diagnostics) if "docstring" in item.message.lower()), None)
    title = f"Document {definition.name}"
    if wanted is None:
        yield Offer(title, "refactor.rewrite")
    else:
        yield Offer(title, "quickfix", wanted, preferred=True)


async def propose_documentation(choice: Choice, writer: Writer) -> Proposal:
    """The documentation as one insertion."""
    spot = choice.spot
    definition, style = spot.definition, find_style(spot.tree) if spot.tree else None
    if spot.tree is None or definition is None or style is None or not _has_place(spot, definition):
        raise EditRefused("There is nothing to document here.")
    place = Place(definition, style)
    slots = plan_slots(definition, style)
    words = fill_gaps(await write_words(place, slots, writer), slots)
    edit = place.edit(render_documentation(slots, words, style, place.layout), spot.newline)
    if fault := find_fault(spot.tree, [edit]):
        raise EditRefused(f"{definition.name} could not be documented: {fault}")
    return change_document(spot.document, f"Document {definition.name}", (edit,))


async def write_words(place: Place, slots: tuple[Slot, ...], writer: Writer) -> dict[str, str]:
    """Words for the slots: an object with one text each, else hole by hole from a server that answers with none."""
    try:
        ask = ChatAsk(_question(place), schema=_schema(slots), max_tokens=_MAX_TOKENS * (1 + len(slots)))
        answer = await writer.answer_object(ask)
    except (EditRefused, InvalidRequest):
        return await fill_words(place, slots, writer)
    return {slot.key: words for slot in slots if (words := clean_words(str(answer.get(slot.key, "")), slot))}


async def fill_words(place: Place, slots: tuple[Slot, ...], writer: Writer) -> dict[str, str]:
    """Words for the slots, one hole after the other, each seeing what is written above it."""
    words: dict[str, str] = {}
    for slot in slots:
        text = await writer.fill(_hole(place, slots, words | {slot.key: _HOLE}))
        if cleaned := clean_words(text, slot):
            words[slot.key] = cleaned
    return words


def _question(place: Place) -> tuple[Message, ...]:
    definition = place.definition
    document, range_ = definition.tree.document, definition.range
    code = document.text[document.offset(range_.start) : document.offset(range_.end)]
    return ask_description(definition.kind, definition.tree.language.name, code[:_AFTER_CHARACTERS])


def _schema(slots: tuple[Slot, ...]) -> str:
    """One text for each slot, begun as such texts are: without that a small model gives examples of values."""
    keys = [slot.key for slot in slots]
    properties = {
        slot.key: {"type": "string", "pattern": f'^{_BEGINNINGS[slot.role]}[^"\\\\\n]{{4,{_MAX_WORDS_CHARACTERS}}}$'}
        for slot in slots
    }
    return json.dumps({"type": "object", "properties": properties, "required": keys, "additionalProperties": False})


def _hole(place: Place, slots: tuple[Slot, ...], words: dict[str, str]) -> Hole:
    """The document around the words that are missing: what is above the definition, and the definition."""
    tree = place.definition.tree
    edit = place.edit(render_documentation(slots, words, place.style, place.layout), "\n")
    document = tree.document
    start, end = document.offset(edit.range.start), document.offset(edit.range.end)
    above, below = edit.new_text.split(_HOLE)
    last = document.offset(place.definition.range.end)
    prefix = document.text[max(0, start - _BEFORE_CHARACTERS) : start] + above
    return Hole(prefix, below + document.text[end : min(last, end + _AFTER_CHARACTERS)], _MAX_TOKENS, ("\n",))


def _has_place(spot: Spot, definition: Definition) -> bool:
    """Whether documentation can stand there: on lines of its own."""
    if spot.tree is not None and spot.tree.language.name == "python":
        return definition.body is not None
    start = definition.first_line.start
    return not spot.document.line(start.line)[: start.column].strip()


DOCUMENT = Action("document", "refactor.rewrite", offer_documentation, propose_documentation)
