"""Too little to be worth a look."""

from heron.editor.syntax.gap import Gap

_PUNCTUATION = set(")]}>;,.: \t\n")


def drop_trivial(text: str, gap: Gap) -> str:
    """Drop punctuation and comment marks alone, unless they close what is open at the cursor."""
    bare = text.strip()
    if bare and set(bare) <= _PUNCTUATION:
        return text if gap.closable.startswith(bare[0]) else ""
    marks = gap.language.line_comments if gap.language else ()
    return "" if bare in marks else text
