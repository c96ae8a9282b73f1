"""In a string or comment that is closed further on, the answer must not close it too."""

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import read_text


def cut_string_end(text: str, gap: Gap) -> str:
    """Cut before a delimiter that would close the cursor's string or comment though the document does."""
    quote = gap.quote
    if not quote or not _is_closed_after(gap, quote):
        return text
    reading = read_text(text, gap.language, quote)
    end = reading.plain[0][1]
    return text[: end - len(quote)] if text.endswith(quote, 0, end) else text


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
