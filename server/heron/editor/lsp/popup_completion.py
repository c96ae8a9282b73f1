"""textDocument/completion and completionItem/resolve: the same completions, for clients without inline completion.

LSP 3.18, "Completion Request". An item replaces the word before the cursor, which is what editors filter by. The popup
is not kept waiting: what comes too late is offered at the next key.
"""

import asyncio
import re
from functools import partial

from lsprotocol import types

from heron.editor.document import Document, Position
from heron.editor.features.timings import Timings
from heron.editor.lsp.convert import from_position, to_position
from heron.editor.lsp.events import note_offered
from heron.editor.lsp.inline_completion import Target, Wish, complete_at, log_timings
from heron.editor.lsp.session import Session

OPTIONS = types.CompletionOptions(trigger_characters=[".", "(", "[", "=", ":"], resolve_provider=True)
_WORD = re.compile(r"[^\W\d]\w*\Z")
_CALL = re.compile(r"[^\W\d][\w.]*\(")
_LABEL_CHARACTERS = 80


def offer(session: Session, params: types.InitializeParams) -> None:
    """Put completions into the popup where the setting says so, else where the client shows none inline."""
    choice = session.settings.completion.popup
    told = params.capabilities.text_document
    if choice == "on" or (choice == "auto" and (told is None or told.inline_completion is None)):
        session.server.feature(types.TEXT_DOCUMENT_COMPLETION, OPTIONS)(partial(answer_completion, session))
        session.server.feature(types.COMPLETION_ITEM_RESOLVE)(partial(resolve_item, session))


async def answer_completion(session: Session, params: types.CompletionParams) -> types.CompletionList:
    """One item at most; the list is never complete, so that the client asks again at the next key."""
    document = session.documents.get(params.text_document.uri)
    if document is None or not session.settings.completion.enabled:
        return types.CompletionList(is_incomplete=False, items=[])
    position = to_position(document, params.position, session.encoding)
    timings = session.last_timings = Timings(version=document.version)
    text = await _complete(session, document, position, timings)
    items = [] if text is None else [_write_item(session, (document, position), text, timings)]
    return types.CompletionList(is_incomplete=True, items=items)


def resolve_item(session: Session, item: types.CompletionItem) -> types.CompletionItem:
    """The whole text as documentation; an item that is not ours is left as it is."""
    edit = item.text_edit
    language = item.data.get("language") if isinstance(item.data, dict) else None
    if edit is not None and isinstance(language, str):
        code = f"```{language}\n{edit.new_text}\n```"
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, code)
    return item


async def _complete(session: Session, document: Document, position: Position, timings: Timings) -> str | None:
    """What is there in time; a completion that is late goes on, and is there when the next key asks."""
    limit_s = session.settings.completion.popup_ms / 1000
    place = from_position(document, position, session.encoding)
    wish = Wish(Target(document, position, types.Range(place, place)), limit_s, invoked=False, popup=True)
    task = session.popup = asyncio.ensure_future(complete_at(session, wish, timings))
    try:
        done, _ = await asyncio.wait([task], timeout=limit_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    log_timings(timings)
    if not done or task.cancelled() or session.documents.get(document.uri) is not document:
        return None
    texts = task.result()
    return texts[0] if texts else None


def _write_item(
    session: Session, cursor: tuple[Document, Position], text: str, timings: Timings
) -> types.CompletionItem:
    document, position = cursor
    word = _word_before(document, position)
    start = Position(position.line, position.column - len(word))
    whole = word + text
    first = next((line.strip() for line in whole.splitlines() if line.strip()), "")
    place = types.Range(*(from_position(document, one, session.encoding) for one in (start, position)))
    return types.CompletionItem(
        label=first if len(first) <= _LABEL_CHARACTERS else f"{first[: _LABEL_CHARACTERS - 1]}…",
        label_details=types.CompletionItemLabelDetails(description="Heron"),
        kind=_kind_of(whole),
        detail="Heron",
        # Editors compare it with the word before the cursor, and leave out what does not begin with it.
        filter_text=first,
        sort_text="\u0020",
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(place, whole),
        command=note_offered(session, (document, start), whole, timings, "popup"),
        data={"language": document.language},
    )


def _word_before(document: Document, position: Position) -> str:
    found = _WORD.search(document.line(position.line)[: position.column])
    return found[0] if found else ""


def _kind_of(text: str) -> types.CompletionItemKind:
    """By its form: lines of code, a call, a name, anything else."""
    if "\n" in text.strip():
        return types.CompletionItemKind.Snippet
    if _CALL.match(text.strip()):
        return types.CompletionItemKind.Function
    return types.CompletionItemKind.Variable if _WORD.match(text.strip()) else types.CompletionItemKind.Text
