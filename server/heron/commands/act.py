"""A code action from the terminal: chosen from the server's menu by its title, resolved, and applied to the text."""

import time
from dataclasses import dataclass
from typing import Any

from heron.commands.client import Client, Cursor
from heron.editor.document import Document, Edit, Position, Range
from heron.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Acted:
    """What an action made of a document: the edits of that document, and the times of menu and edit."""

    title: str
    edits: tuple[Edit, ...]
    menu_ms: float
    edit_ms: float


async def act(client: Client, cursor: Cursor, title: str) -> Acted:
    """Open the document, take the action whose title begins so, and close it again. InvalidRequest if there is none."""
    document = cursor.document
    opened = {"uri": document.uri, "languageId": document.language, "version": 1, "text": document.text}
    client.peer.notify("textDocument/didOpen", {"textDocument": opened})
    began = time.perf_counter()
    menu = await client.peer.request("textDocument/codeAction", _question(cursor))
    shown = time.perf_counter()
    chosen = next((entry for entry in menu or () if entry["title"].startswith(title)), None)
    if chosen is None:
        offered = ", ".join(entry["title"] for entry in menu or ()) or "nothing"
        raise InvalidRequest(f"There is no action {title!r} here.", hint=f"Offered: {offered}.")
    resolved = await client.peer.request("codeAction/resolve", chosen)
    ended = time.perf_counter()
    client.peer.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})
    return Acted(chosen["title"], _edits(resolved, document), (shown - began) * 1000, (ended - shown) * 1000)


def _question(cursor: Cursor) -> dict[str, Any]:
    place = {"line": cursor.position.line, "character": cursor.position.column}
    return {
        "textDocument": {"uri": cursor.document.uri},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": [], "triggerKind": 1},
    }


def _edits(resolved: dict[str, Any], document: Document) -> tuple[Edit, ...]:
    changes = resolved["edit"]["documentChanges"]
    mine = [change for change in changes if change.get("textDocument", {}).get("uri") == document.uri]
    return tuple(Edit(_range(edit["range"]), edit["newText"]) for change in mine for edit in change["edits"])


def _range(written: dict[str, Any]) -> Range:
    start, end = (Position(written[side]["line"], written[side]["character"]) for side in ("start", "end"))
    return Range(start, end)
