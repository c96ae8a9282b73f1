"""The code action of `heron demo`: a function of the samples gets its documentation."""

from rich.console import Console

from heron.commands.act import act
from heron.commands.client import Client, Cursor, open_document
from heron.commands.render import draw_ghost, mark_ghost, show_completion
from heron.samples.holes import sample_folder

_FUNCTION = "def add("


async def show_action(console: Console, client: Client) -> None:
    """Ask for the action at a function's header and show what it inserts."""
    path = sample_folder() / "python" / "cart.py"
    document = open_document(path, path.read_text(encoding="utf-8"))
    place = document.position(document.text.index(_FUNCTION))
    acted = await act(client, Cursor(document, place), "Document")
    (edit,) = acted.edits
    at = document.offset(edit.range.start)
    last = document.text.index("\n\n", at)
    parts = (document.text[document.line_starts[place.line] : at], edit.new_text, document.text[at:last])
    code = draw_ghost(*parts, document.language) if console.is_terminal else mark_ghost(*parts)
    caption = f"menu {acted.menu_ms:.0f} ms, edit {acted.edit_ms / 1000:.1f} s"
    show_completion(console, f"{acted.title}: a code action", code, caption)
