"""Which members may stand behind a dot or a path, and how they are told: as code writes them where it uses them."""

import re

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.sources.fitting import shorten

_SELF = re.compile(r"\(\s*(?:&\s*)?(?:'\w+\s+)?(?:mut\s+)?(?:self|cls)\b\s*(?::[^,)]*)?,?\s*")
_WHERE = re.compile(r"\s+where\s.*$")
_JOINT = re.compile(r"(::|->|\.)\s*\w*\Z")
_VALUES = frozenset({"function", "method", "constant", "variable", "field", "macro"})
_CALLED = frozenset({"function", "method"})


def joint_before(line: str) -> str:
    """What joins the receiver and the name at the end of a line; a dot where it is on a line above."""
    joint = _JOINT.search(line)
    return joint[1] if joint else "."


def can_follow(owner: str, one: Symbol, joint: str, language: str) -> bool:
    """Whether a member may stand there: in Rust a path leads to what needs no value of the type, a dot to what does."""
    if language != "rust":
        return True
    if not owner:
        return one.kind != "module"
    if one.kind in _CALLED:
        return (_SELF.search(one.signature) is None) is (joint == "::")
    return one.kind == ("constant" if joint == "::" else "field")


def tell_member(owner: str, one: Symbol, joint: str) -> str:
    """A member with its parameters and what it returns, without the words that make it one."""
    if one.kind not in _VALUES:
        return shorten(one.signature)
    named = re.search(rf"(?<!\w){re.escape(one.name)}(?!\w)", one.signature)
    told = one.signature[named.start() :] if named else one.name
    told = _WHERE.sub("", _SELF.sub("(", told, count=1))
    return shorten(f"{owner}{joint}{told}" if owner else told)
