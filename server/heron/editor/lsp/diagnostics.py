"""heron/didChangeDiagnostics: what other servers found, told by the editor; and diagnostics in Heron's terms."""

from lsprotocol import types

from heron.editor.diagnostic import Diagnostic, Severity
from heron.editor.document import Document, Position, Range
from heron.editor.lsp.convert import Encoding, to_range, to_text
from heron.editor.lsp.protocol import DidChangeDiagnosticsParams
from heron.editor.lsp.session import Session

MAX_KEPT = 1000
"""Diagnostics kept for one document."""
_SEVERITIES: dict[types.DiagnosticSeverity, Severity] = {
    types.DiagnosticSeverity.Error: "error",
    types.DiagnosticSeverity.Warning: "warning",
    types.DiagnosticSeverity.Information: "information",
    types.DiagnosticSeverity.Hint: "hint",
}


def change_diagnostics(session: Session, params: DidChangeDiagnosticsParams) -> None:
    """Keep the diagnostics of a document in the place of those before; none at all forgets it."""
    document = session.documents.get(params.uri)
    kept = tuple(to_diagnostic(item, document, session.encoding) for item in params.diagnostics[:MAX_KEPT])
    if kept:
        session.diagnostics[params.uri] = kept
    else:
        session.diagnostics.pop(params.uri, None)


def to_diagnostic(item: types.Diagnostic, document: Document | None, encoding: Encoding) -> Diagnostic:
    """Heron's form. Where the document is not open, columns stay in the client's units."""
    message = item.message if isinstance(item.message, str) else item.message.value
    return Diagnostic(
        range=to_range(document, item.range, encoding) if document else _keep_units(item.range),
        message=to_text(message),
        severity=_SEVERITIES[item.severity or types.DiagnosticSeverity.Error],
        source=item.source or "",
        code="" if item.code is None else str(item.code),
    )


def _keep_units(range_: types.Range) -> Range:
    start, end = (Position(place.line, place.character) for place in (range_.start, range_.end))
    return Range(start, end)
