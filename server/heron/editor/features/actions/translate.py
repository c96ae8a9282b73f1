"""Translate a comment into English: the model writes the words, marks and indentation stay."""

import json
import re
import textwrap
from collections.abc import Iterable

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.rewrite import Lines
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Writer
from heron.editor.prompt.edit import ask_translation
from heron.errors import EditRefused

_LINE = re.compile(r"(?P<mark>[ \t]*(?:#|//[/!]?|--|\*(?!/))[ \t]?)(?P<words>.*)")
_FOREIGN = re.compile(
    r"[^\W\d_a-zA-Z]|\b(?:der|die|das|und|nicht|wird|ist|für|eine?|les?|des|une|est|pour|avec|dans|el|los|las|para|que|con"
    r"|por|del|della|per|che|sono|não|uma|voor|het|een|niet)\b"
)
_ENGLISH = re.compile(r"\b(?:the|is|are|of|to|and|that|this|with|for|not|be|it|in|on|from)\b", re.IGNORECASE)
_WIDTH = 100
_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"english": {"type": "string", "minLength": 2}},
        "required": ["english"],
        "additionalProperties": False,
    }
)


def offer_translation(spot: Spot) -> Iterable[Offer]:
    """Offered on a comment that does not look English."""
    lines = find_comment(spot)
    if lines is not None and looks_foreign(_words(lines.text)):
        yield Offer("Translate this comment to English", "refactor.rewrite")


def find_comment(spot: Spot) -> Lines | None:
    """The lines of comment around the cursor, all with the same mark."""
    document, number = spot.document, spot.selection.start.line
    match = _LINE.fullmatch(document.line(number))
    if match is None or spot.tree is None or not _is_comment(spot, number):
        return None
    mark, first, last = match["mark"].rstrip(), number, number
    while first > 0 and _has_mark(document.line(first - 1), mark):
        first -= 1
    while last + 1 < document.num_lines and _has_mark(document.line(last + 1), mark):
        last += 1
    return Lines(document, first, last)


async def propose_translation(choice: Choice, writer: Writer) -> Proposal:
    """The comment's words in English, wrapped behind the comment's marks."""
    spot, lines = choice.spot, find_comment(choice.spot)
    if lines is None:
        raise EditRefused("There is no comment here.")
    words = _words(lines.text)
    answer = await writer.answer_object(ChatAsk(ask_translation(words), schema=_SCHEMA, max_tokens=96 + len(words)))
    english = " ".join(str(answer.get("english", "")).split()).replace("*/", "")
    if not english or english == words:
        raise EditRefused("The model did not translate it.")
    mark = _mark(lines.text)
    wrapped = textwrap.wrap(english, max(40, _WIDTH - len(mark)), break_long_words=False, break_on_hyphens=False)
    edits = lines.replaced("\n".join(mark + line for line in wrapped))
    if spot.tree is not None and (fault := find_fault(spot.tree, edits)):
        raise EditRefused(f"The translation was not usable: {fault}")
    return change_document(spot.document, "Translate the comment", edits)


def looks_foreign(words: str) -> bool:
    """Whether a text has foreign letters or small words, and more of them than English ones."""
    return len(_FOREIGN.findall(words)) > len(_ENGLISH.findall(words))


def _is_comment(spot: Spot, number: int) -> bool:
    line = spot.document.line(number)
    position = spot.document.position(spot.document.line_starts[number] + len(line.rstrip()))
    return spot.tree is not None and spot.tree.inside(position) == "comment"


def _has_mark(line: str, mark: str) -> bool:
    match = _LINE.fullmatch(line)
    return match is not None and match["mark"].rstrip() == mark and bool(match["words"].strip())


def _mark(text: str) -> str:
    match = _LINE.match(text)
    return match["mark"].rstrip() + " " if match else ""


def _words(text: str) -> str:
    found = (_LINE.fullmatch(line) for line in text.split("\n"))
    return " ".join(match["words"].strip() for match in found if match).strip()


TRANSLATE = Action("translate", "refactor.rewrite", offer_translation, propose_translation)
