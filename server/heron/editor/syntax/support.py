"""What Heron knows of each language, as the table in the documentation shows it."""

from heron.editor.syntax.languages import Language, load_languages, read_query

COLUMNS = ("scopes", "tags", "calls", "imports")
_HEAD = ("language", "strings, comments, scopes", "definitions", "calls", "imports", "block ends by", "embeds")
EMBEDDED = {
    **dict.fromkeys(("html", "vue", "svelte"), "scripts, styles"),
    "markdown": "fenced code",
}
"""By the rules of `embedded`."""
RESOLVED = frozenset(
    [
        *(
            "python",
            "javascript",
            "typescript",
            "tsx",
            "vue",
            "svelte",
            "go",
            "rust",
            "java",
            "c",
            "cpp",
            "ruby",
            "php",
        ),
        *("lua", "bash"),
    ]
)
"""Languages whose imports lead to files, by the rules of `context/index/resolve`."""


def render_support() -> str:
    """A Markdown table, one language a row."""
    rows = [_HEAD, ("---",) * len(_HEAD), *(_row(language) for language in load_languages().values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _row(language: Language) -> tuple[str, ...]:
    *marks, imports = ["yes" if read_query(language, kind) else "" for kind in COLUMNS]
    resolved = "yes, to files" if language.name in RESOLVED else imports
    return (
        language.name,
        *marks,
        resolved,
        language.block if language.is_code else "",
        EMBEDDED.get(language.name, ""),
    )
