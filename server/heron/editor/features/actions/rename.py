"""Give a local variable a clearer name, at all its places in its function; the model only proposes the name."""

import json
import re
from collections.abc import Iterable
from keyword import iskeyword

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.document import Edit, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Writer
from heron.editor.prompt.edit import ask_name
from heron.editor.syntax.lexical import read_text
from heron.errors import EditRefused

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_MAX_CHARACTERS = 3_000
_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[a-z][A-Za-z0-9_]{2,30}$"}},
        "required": ["name"],
        "additionalProperties": False,
    }
)


def offer_rename(spot: Spot) -> Iterable[Offer]:
    """Offered on a local variable of a function."""
    name = find_local(spot)
    if name:
        yield Offer(f"Find a better name for {name}", "refactor.rewrite")


def find_local(spot: Spot) -> str:
    """The variable under the cursor if its function declares it; empty else."""
    definition = spot.definition
    if definition is None or definition.kind != "function" or spot.selected_text.strip() not in ("", _word_at(spot)):
        return ""
    name = _word_at(spot)
    code = _code(spot)
    escaped = re.escape(name)
    declared = rf"\b(?:let|const|var)\s+(?:mut\s+)?{escaped}\b|^\s*{escaped}\s*(?::[^=\n]+)?:?=[^=]|\bfor\s+{escaped}\b"
    parameters = {item.name for item in definition.parameters}
    is_local = bool(name) and name not in parameters and re.search(declared, code, re.MULTILINE) is not None
    is_shared = re.search(rf"\b(?:global|nonlocal)\b[^\n]*\b{escaped}\b", code) is not None
    return name if is_local and not is_shared else ""


async def propose_rename(choice: Choice, writer: Writer) -> Proposal:
    """The new name at every place of the old one that is no member, keyword argument or text."""
    spot = choice.spot
    name = find_local(spot)
    if not name or spot.tree is None:
        raise EditRefused("There is no local variable here.")
    code = _code(spot)
    ask = ChatAsk(ask_name(name, code[:_MAX_CHARACTERS]), schema=_SCHEMA, max_tokens=48)
    better = fit_case(str((await writer.answer_object(ask)).get("name", "")), name, code)
    if not _WORD.fullmatch(better) or iskeyword(better) or better == name:
        raise EditRefused("The model had no better name.")
    if re.search(rf"(?<![\w$]){re.escape(better)}(?![\w$])", spot.document.text):
        raise EditRefused(f"The model proposed {better}, which is taken.")
    edits = tuple(Edit(place, better) for place in find_places(spot, name))
    if fault := find_fault(spot.tree, edits):
        raise EditRefused(f"The new name was not usable: {fault}")
    return change_document(spot.document, f"Rename {name} to {better}", edits)


def find_places(spot: Spot, name: str) -> list[Range]:
    """Where a variable stands in its function."""
    assert spot.definition is not None
    document, start = spot.document, spot.document.offset(spot.definition.range.start)
    code = _code(spot)
    reading = read_text(code, spot.language)
    spans = [match.span() for match in re.finditer(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", code)]
    places = [span for span in spans if not reading.is_plain(span[0]) and not _is_keyword(spot, code, span)]
    return [Range(document.position(start + first), document.position(start + last)) for first, last in places]


def _is_keyword(spot: Spot, code: str, span: tuple[int, int]) -> bool:
    """Whether a name is that of an argument in a call: `f(name=1)`."""
    following = code[span[1] :].lstrip()
    opened = read_text(code[: span[0]], spot.language).open
    return following[:1] == "=" and following[:2] != "==" and bool(opened) and opened[-1].char == "("


def fit_case(name: str, old: str, code: str) -> str:
    """A name in the case of the code around: snake_case or camelCase."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    if not words:
        return ""
    snake = len(re.findall(r"\b[a-z]+_[a-z_]+\b", code)) >= len(re.findall(r"\b[a-z]+[A-Z]\w*\b", code))
    return "_".join(words) if snake else words[0] + "".join(word.capitalize() for word in words[1:])


def _code(spot: Spot) -> str:
    assert spot.definition is not None
    place = spot.definition.range
    return spot.document.text[spot.document.offset(place.start) : spot.document.offset(place.end)]


def _word_at(spot: Spot) -> str:
    line, column = spot.document.line(spot.selection.start.line), spot.selection.start.column
    return next((m.group() for m in _WORD.finditer(line) if m.start() <= column <= m.end()), "")


RENAME = Action("rename", "refactor.rewrite", offer_rename, propose_rename)
