"""heron/context: what a completion at a place would be asked with, and why each snippet of other files is in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from heron.editor.lsp.convert import to_position
from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.fields import Fields, read_fields
from heron.editor.lsp.scene import wait_scanned
from heron.editor.lsp.session import Session
from heron.errors import InvalidRequest

if TYPE_CHECKING:
    from heron.editor.context.snippet import Choice


async def answer_context(session: Session, params: object) -> dict[str, Any]:
    """The prompt of a document that is open; looks as long as it takes, not only what is ready."""
    with rpc_errors():
        return await _explain(session, read_fields(params))


async def _explain(session: Session, fields: Fields) -> dict[str, Any]:
    from heron.editor.context.estimate import estimate_tokens
    from heron.editor.features.ask import Ask
    from heron.editor.workspace.redact import redact

    uri = (fields.child("textDocument") or fields).text("uri")
    place = fields.child("position") or Fields({}, "position")
    limits = (0, 2**31 - 1)
    document = session.documents.get(uri)
    if document is None:
        raise InvalidRequest(f"{uri!r} is not open.", param="textDocument.uri")
    where = types.Position(place.number("line", 0, limits), place.number("character", 0, limits))
    position = to_position(document, where, session.encoding)
    await wait_scanned(session)
    ask = Ask(document, position, session.settings.completion, lambda: session.watch.wait_ready(0))
    context, beyond = await session.completer.explain(ask)
    prefix, suffix = redact(context.prefix), redact(context.suffix)
    return {
        "shape": context.shape,
        "reason": context.reason,
        "indexed": session.indexing.is_scanned,
        "snippets": [_snippet(choice, session) for choice in beyond.choices],
        "prompt": {"prefix": prefix, "suffix": suffix},
        "tokens": {"prefix": estimate_tokens(prefix), "suffix": estimate_tokens(suffix)},
    }


def _snippet(choice: "Choice", session: Session) -> dict[str, Any]:
    from heron.editor.workspace.redact import redact

    snippet = choice.snippet
    return {
        "source": snippet.source,
        "path": _shown(session, snippet.path),
        "uri": snippet.path.as_uri(),
        "lines": [snippet.start, snippet.end],
        "text": redact(snippet.text),
        "score": round(choice.score, 5),
        "ranks": dict(choice.ranks),
        "tokens": choice.tokens,
    }


def _shown(session: Session, path: Path) -> str:
    return session.index.workspace.relative(path) if session.index is not None else path.name
