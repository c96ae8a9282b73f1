"""The `data` of a code action: all that `codeAction/resolve` needs, as JSON the client gives back unread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from heron.editor.lsp.fields import Fields, read_fields
from heron.editor.lsp.protocol_chat import plain_range
from heron.errors import InvalidRequest

_LIMITS = (-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class ActionData:
    """An action, where it was offered (range in the client's units), and the diagnostic it mends, if any."""

    action: str
    uri: str
    version: int
    range: types.Range
    diagnostics: tuple[types.Diagnostic, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


def write_data(data: ActionData) -> dict[str, Any]:
    """As JSON; a diagnostic keeps what an action reads of it."""
    return {
        "action": data.action,
        "uri": data.uri,
        "version": data.version,
        "range": plain_range(data.range),
        "diagnostics": [_write_diagnostic(item) for item in data.diagnostics],
        "detail": dict(data.detail),
    }


def read_data(value: object) -> ActionData:
    """From JSON. Raises InvalidRequest, which names what is wrong."""
    if not isinstance(value, Mapping):
        raise InvalidRequest("data must be that of an action Heron offered.", param="data")
    fields = read_fields(value, "data")
    range_, detail = fields.range("range"), fields.child("detail")
    if range_ is None:
        raise InvalidRequest("data.range is missing.", param="data.range")
    return ActionData(
        fields.text("action"),
        fields.text("uri"),
        fields.number("version", 0, _LIMITS),
        range_,
        tuple(_read_diagnostic(item) for item in fields.children("diagnostics")),
        dict(detail.values) if detail else {},
    )


def _write_diagnostic(item: types.Diagnostic) -> dict[str, Any]:
    message = item.message if isinstance(item.message, str) else item.message.value
    severity = item.severity.value if item.severity else 1
    known = {"source": item.source or "", "code": "" if item.code is None else str(item.code)}
    return {"range": plain_range(item.range), "message": message, "severity": severity, **known}


def _read_diagnostic(fields: Fields) -> types.Diagnostic:
    range_ = fields.range("range")
    if range_ is None:
        raise InvalidRequest(f"{fields.place}.range is missing.", param=fields.place)
    severity = types.DiagnosticSeverity(fields.number("severity", 1, (1, 4)))
    return types.Diagnostic(
        range_, fields.text("message"), severity, fields.text("code", ""), None, fields.text("source", "")
    )
