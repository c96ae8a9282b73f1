"""No trailing white space in what is inserted."""

import re

from heron.editor.syntax.gap import Gap

_TRAILING = re.compile(r"[ \t]+(?=\n)")


def trim_white_space(text: str, gap: Gap) -> str:
    """Trim the end of every line and blank lines at the end."""
    return _TRAILING.sub("", text).rstrip()
