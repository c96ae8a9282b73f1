"""The expression before a dot, as steps from a name: `a.b(c)?.d` is a, b called, d. Read backwards from the text."""

import re
from dataclasses import dataclass

MAX_CHARACTERS = 400
_NAME = re.compile(r"[@$]?[^\W\d]\w*\Z")
_JOINT = re.compile(r"\s*(?:\?\.|!?\.|->|::)\s*\Z")
_PASSED = re.compile(r"(?:\?|!|\.await)\Z")
_OPENERS = {")": "(", "]": "[", ">": "<"}


@dataclass(frozen=True, slots=True)
class Step:
    """A name, and whether it is called."""

    name: str
    is_called: bool = False


def read_chain_before(text: str) -> tuple[Step, ...]:
    """The steps before the dot or path that the name at the end of a text stands behind; empty without one."""
    rest = re.sub(r"\w*\Z", "", text[-MAX_CHARACTERS:])
    joint = _JOINT.search(rest)
    return read_chain(rest[: joint.start()]) if joint else ()


def read_chain(text: str) -> tuple[Step, ...]:
    """The steps of the expression a text ends with; empty where that is no chain of names and calls."""
    rest = text[-MAX_CHARACTERS:]
    steps: list[Step] = []
    while True:
        step, rest = _last_step(rest.rstrip())
        if step is None:
            return ()
        steps.append(step)
        joint = _JOINT.search(rest)
        if joint is None:
            return tuple(reversed(steps))
        rest = rest[: joint.start()]


def _last_step(text: str) -> tuple[Step | None, str]:
    """The name that ends a text, without what is called, indexed or unwrapped behind it, and the text before it."""
    is_called = False
    while text[-1:] in _OPENERS or _PASSED.search(text):
        if passed := _PASSED.search(text):
            text = text[: passed.start()]
            continue
        is_called = is_called or text[-1] == ")"
        start = _opening(text)
        if start < 0:
            return None, text
        text = text[:start].removesuffix("::")
    name = _NAME.search(text)
    return (Step(name[0], is_called), text[: name.start()]) if name else (None, text)


def _opening(text: str) -> int:
    """Where the bracket that ends a text begins; -1 if that is not in it."""
    closer, opener = text[-1], _OPENERS[text[-1]]
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == closer) - (text[at] == opener)
        if depth == 0:
            return at
    return -1
