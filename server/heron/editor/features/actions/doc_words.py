"""The words of a documentation: made fit for their place, or made up from the names where the model gave none."""

import re
from collections.abc import Mapping

from heron.editor.features.actions.doc_plan import Slot

_MAX_CHARACTERS = 240
_MARKS = re.compile(r'"{2,}|\'{3}|\*/|/\*+|`{3}|<\|[^|>]*\|>|^\s*(?://[/!]?|#|\*|-|:)+\s*')
_LEAD = re.compile(
    r"^(?:@\w+|(?:Returns?|Yields?|Raises?|Summary|Description|Note|bool|int|str|float|list|dict)\s*:)\s*", re.I
)
_EMPTY = frozenset(("examples", "example", "todo", "none", "arguments", "returns", "parameters", "panics", "errors"))
_SPACES = re.compile(r"\s+")
_SENTENCE = re.compile(r"(?<=[a-z)`\"'\d]{2}\.)\s+(?=[A-Z`])")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def clean_words(text: str, slot: Slot) -> str:
    """One plain sentence for a slot: no line ends, no marks that would end a comment or string, its own name gone."""
    text = "".join(mark for mark in _SPACES.sub(" ", text) if mark.isprintable())
    text = _SPACES.sub(" ", _MARKS.sub("", text).replace("\\", "")).strip('" ')
    if slot.name and slot.role != "summary":
        text = re.sub(rf"^[`*]*{re.escape(slot.name)}[`*]*\s*(?:\([^)]*\))?\s*[:–-]\s*", "", text)
    text = _LEAD.sub("", _SENTENCE.split(text)[0][:_MAX_CHARACTERS].strip())
    if not _says_something(text, slot):
        return ""
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text.rstrip(",;: ") + "."


def _says_something(text: str, slot: Slot) -> bool:
    """Whether there are words other than the slot's type, its name, or a heading."""
    words = re.findall(r"[A-Za-z]+", text)
    bare = text.strip(" .:`").lower()
    is_echo = bare in (slot.type.lower(), slot.name.lower()) or bare in _EMPTY
    return len(words) > (slot.role == "summary") and max(map(len, words), default=0) > 1 and not is_echo


def fill_gaps(words: Mapping[str, str], slots: tuple[Slot, ...]) -> dict[str, str]:
    """The words for every slot; those missing are said by the name alone."""
    return {slot.key: words.get(slot.key) or plain_words(slot) for slot in slots}


def plain_words(slot: Slot) -> str:
    """What a name says by itself."""
    spoken = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in _WORD.findall(slot.name))
    match slot.role:
        case "summary":
            return f"{spoken.capitalize() or slot.name}."
        case "parameter":
            return f"The {spoken or slot.name}."
        case "returns" | "yields":
            return "The result."
        case "raises":
            return f"On {spoken or slot.name}."
        case "errors":
            return "Returns an error if the operation fails."
        case "panics":
            return "Panics if an invariant does not hold."
