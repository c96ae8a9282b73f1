"""In a string or comment that is closed further on, the answer must not close it too."""

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import read_text


def cut_string_end(text: str, gap: Gap) -> str:
    """Cut before a delimiter that would close the cursor's string or comment though the document does."""
    quote = gap.quote
    if not quote or not _is_closed_after(gap, quote):
        return text
    begun, end = _find_end(text, gap)
    return text if end < 0 else text[: max(0, end - len(quote) - begun)]


def closes_string(text: str, gap: Gap) -> bool:
    """Whether a text ends the string or comment the cursor is in."""
    return bool(gap.quote) and _find_end(text, gap)[1] >= 0


def _find_end(text: str, gap: Gap) -> tuple[int, int]:
    """How much of the delimiter is typed before the cursor, and where it ends, from there on; -1 if it does not."""
    begun = _begun(gap.line_prefix, gap.quote)
    whole = begun + text
    end = read_text(whole, gap.language, gap.quote).plain[0][1]
    return len(begun), end if whole.endswith(gap.quote, 0, end) else -1


def _begun(line_prefix: str, quote: str) -> str:
    """How much of a delimiter is typed before the cursor."""
    return next((quote[:count] for count in range(len(quote) - 1, 0, -1) if line_prefix.endswith(quote[:count])), "")


def _is_closed_after(gap: Gap, quote: str) -> bool:
    """Whether the delimiter that follows ends this string: an odd number of them is left in the document."""
    language = gap.language
    if language and quote in language.block_comment:
        opener = gap.following.find(language.block_comment[0])
        return 0 <= gap.following.find(quote) < (opener if opener >= 0 else len(gap.following))
    if language and quote in language.multiline_quotes:
        return gap.document.text.count(quote, gap.offset) % 2 == 1
    end = read_text(gap.line_suffix, language, quote).plain[0][1]
    return gap.line_suffix.endswith(quote, 0, end)
