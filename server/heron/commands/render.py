"""Draw a completion as an editor shows it: the code around the cursor, the offered text as ghost text."""

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

_LINES_BEFORE = 5
_LINES_AFTER = 2
_GHOST = "bold italic green on grey15"
_MARKS = ("├", "┤")
_THEME = "ansi_dark"


def draw_ghost(before: str, ghost: str | None, after: str, language: str) -> Text:
    """Highlighted lines around the cursor with `ghost` in them; without one, `▏` marks the cursor."""
    head = "".join(before.splitlines(keepends=True)[-_LINES_BEFORE:])
    tail = "".join(after.splitlines(keepends=True)[: _LINES_AFTER + 1]).rstrip("\n")
    shown = "▏" if ghost is None else ghost
    code = (head + shown + tail).expandtabs(4)
    start, end = len(head.expandtabs(4)), len((head + shown).expandtabs(4))
    text = Syntax("", language, theme=_THEME).highlight(code)
    text.rstrip()
    text.stylize("dim" if ghost is None else _GHOST, start, end)
    return text


def mark_ghost(before: str, ghost: str | None, after: str) -> Text:
    """The same without colours: the offered text stands between ├ and ┤."""
    opening, closing = _MARKS
    return draw_ghost(before, None if ghost is None else f"{opening}{ghost}{closing}", after, "text")


def show_completion(console: Console, title: str, code: Text, caption: str) -> None:
    """A panel on a terminal; plain lines where the output goes elsewhere."""
    if not console.is_terminal:
        console.print(f"\n--- {title} ({caption})\n{code.plain}", markup=False, highlight=False, soft_wrap=True)
        return
    console.print(Panel(code, title=title, subtitle=caption, title_align="left", subtitle_align="right"))
