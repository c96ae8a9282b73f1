"""Which types a document names: of a variable, and what the class around a cursor inherits from. Read from the text."""

import re
from collections.abc import Iterator

from heron.editor.document import Document, Position

MAX_LINES = 200
"""Lines that name a variable which are read, the last ones."""
_WORD = re.compile(r"[^\W\d]\w+")
_HEAD = re.compile(r"\b(?:class|interface|struct|impl|trait)\b([^{:\n]*)")
_WRAPPERS = r"(?:Optional|List|Sequence|Option|Arc|Box|Rc|Vec|Promise|Readonly)[\[<]\s*[\"']?"


def types_of(text: str, name: str) -> list[str]:
    """Names written as the type of a variable or as what makes its value, those written last first."""
    own = re.escape(name)
    path = r"(?:\w+(?:\.|::))*([A-Z]\w*)"
    forms = (
        rf"\b{own}\s*:\s*{_WRAPPERS}{path}",  # x: Optional[Type]
        rf"\b{own}\??\s*(?::=?|=)\s*(?:new\s+|await\s+|&?(?:mut\s+)?)*[\"']?{path}",  # x: Type, x = new Type
        rf"\b([A-Z]\w*)(?:<[^<>\n]*>)?[*&\s]+{own}\s*[;,)=]",  # Type x
        rf"\b{own}\s+\*?{path}",  # Go's x *Type
    )
    lines = "\n".join(reversed([text[start:end] for start, end in lines_naming(text, name)]))
    found = [match[1] for form in forms for match in re.finditer(form, lines)]
    return list(dict.fromkeys(reversed(found)))


def lines_naming(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Where lines that hold a name begin and end, the last first; an expression takes a hundred times as long."""
    start = len(text)
    for _ in range(MAX_LINES):
        found = text.rfind(name, 0, start)
        if found < 0:
            break
        start, end = text.rfind("\n", 0, found) + 1, text.find("\n", found)
        yield start, end if end >= 0 else len(text)


def bases_around(document: Document, position: Position) -> list[str]:
    """The names in the head of the nearest class above a cursor, its own too: what Rust and Go add to it elsewhere."""
    indent = _indent(document.line(position.line)) or len(document.line(position.line))
    for number in range(position.line, -1, -1):
        line = document.line(number)
        if (head := _HEAD.search(line)) and _indent(line) < indent:
            rest = " ".join(document.line(number + step) for step in range(4)) if "{" not in line else line
            return _WORD.findall(rest[head.start() :].partition("{")[0].partition("):")[0])[1:]
    return []


def read_bases(signature: str, name: str) -> list[str]:
    """The names a type's signature tells besides its own: what it inherits from, and what its parameters are."""
    head = _HEAD.search(signature)
    return [word for word in _WORD.findall(head[1]) if word not in (name, "extends", "implements")] if head else []


def read_value_type(signature: str, name: str) -> str:
    """What stands for the type of a value, or of what a call returns, in a definition's signature."""
    named = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", signature)
    rest = signature[named.end() :] if named else ""
    for opener, closer in ("<>", "()"):
        if rest[:1] == opener:
            rest = rest[_closing(rest, opener, closer) :]
    return re.split(r"\bwhere\b|=(?!>)", rest)[0].strip().removeprefix("->").removeprefix(":").strip()


def _closing(text: str, opener: str, closer: str) -> int:
    """Where that begins which follows the bracket a text begins with; arrows are no brackets."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == opener) - (character == closer and text[at - 1 : at] not in ("-", "="))
        if depth == 0:
            return at + 1
    return len(text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
