"""How chosen snippets stand in a prompt: as comments in the document's language, those of one file together."""

from collections.abc import Sequence

from heron.editor.context.snippet import Snippet
from heron.editor.syntax.languages import Language


def can_comment(language: Language | None) -> bool:
    """Whether a language is code, with comments to put snippets into."""
    return language is not None and language.is_code and bool(language.line_comments or language.block_comment)


def render_snippets(snippets: Sequence[tuple[str, Snippet]], language: Language | None) -> str:
    """Snippets with the paths to be shown, the files in the order of their first one; ends with a line end."""
    by_path: dict[str, list[str]] = {}
    for shown, snippet in snippets:
        by_path.setdefault(shown, []).append(snippet.text)
    text = "\n".join(f"{shown}:\n" + "\n".join(texts) for shown, texts in by_path.items())
    return _comment(text, language) if text and language is not None else ""


def _comment(text: str, language: Language) -> str:
    """The text as line comments, else as one block comment, which nothing in it ends."""
    if language.line_comments:
        mark = language.line_comments[0]
        return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.split("\n"))
    opener, closer = language.block_comment
    return f"{opener}\n{text.replace(closer, '')}\n{closer}\n"


def join_suffix(suffix: str, beyond: str) -> str:
    """The text after the cursor; what is shown of other files stands below the cursor's line, close to what it is for.

    There it is read anew once a line, as the suffix is; the lines above stay cached. `tests/bench/README.md` has what
    other places did.
    """
    rest, _, below = suffix.partition("\n")
    return f"{rest}\n{beyond}{below}" if beyond else suffix
