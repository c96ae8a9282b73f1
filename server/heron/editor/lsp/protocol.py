"""Methods and messages beyond LSP's own. Custom messages have camelCase members; `PROTOCOL.md` shows them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import attrs
from lsprotocol import types

from heron.editor.features.timings import Timings
from heron.wire import Health

STATUS = "heron/status"
"""Server to client: the state of the host and its model, on each change."""
LAST_TIMINGS = "heron/lastTimings"
"""Client to server: how the last inline completion went; null before the first."""
DID_SHOW_COMPLETION = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT_COMPLETION = "textDocument/didPartiallyAcceptCompletion"
"""Both by the convention of Copilot's language server; LSP 3.18 has no such notification."""
DID_DISMISS_COMPLETION = "heron/didDismissCompletion"
"""Client to server: the user sent away what is shown in a document."""
CONTEXT = "heron/context"
"""Client to server: what a completion at a place would be asked with, and why."""
EDIT = "heron/edit"
"""Client to server: change a selection by an instruction."""
MODEL = "heron/model"
"""Client to server: what the model can do."""
CHAT = "heron/chat"
"""Client to server: the model's answer to a conversation that the client keeps."""
COMMIT_MESSAGE = "heron/commitMessage"
"""Client to server: a message for the changes of the workspace."""
DID_CHANGE_DIAGNOSTICS = "heron/didChangeDiagnostics"
"""Client to server: the diagnostics other servers have for a document, on each change."""
DID_CHANGE_CURSOR = "heron/didChangeCursor"
"""Client to server: where the cursor is, after each move and when a document gets the focus."""


@attrs.define
class DidDismissCompletionParams:
    textDocument: types.TextDocumentIdentifier


@attrs.define
class DidChangeCursorParams:
    """A cursor, in the negotiated encoding."""

    textDocument: types.TextDocumentIdentifier
    position: types.Position


@attrs.define
class DidChangeDiagnosticsParams:
    """All diagnostics of one document; an empty list when there are none any more."""

    uri: str
    diagnostics: list[types.Diagnostic]


OWN_PARAMS: Mapping[str, type] = {
    DID_DISMISS_COMPLETION: DidDismissCompletionParams,
    DID_CHANGE_CURSOR: DidChangeCursorParams,
    DID_CHANGE_DIAGNOSTICS: DidChangeDiagnosticsParams,
}
"""The shapes of our own methods' params, checked where messages come in; others come as they are."""


def status_params(health: Health) -> dict[str, Any]:
    return asdict(health)


def timings_result(timings: Timings) -> dict[str, Any]:
    """Times in milliseconds, rounded to a hundredth. Token counts are null where the server told none."""
    usage = timings.usage
    return {
        "version": timings.version,
        "outcome": timings.outcome,
        "reason": timings.reason,
        "adopted": timings.adopted,
        "window": timings.window,
        "chance": None if timings.chance is None else round(timings.chance, 3),
        "stagesMs": {stage: round(spent, 2) for stage, spent in timings.stages_ms.items()},
        "firstTokenMs": None if timings.first_token_ms is None else round(timings.first_token_ms, 2),
        "totalMs": round(timings.total_ms, 2),
        "promptTokens": usage and usage.prompt_tokens,
        "cachedTokens": usage and usage.cached_tokens,
        "completionTokens": usage and usage.completion_tokens,
    }
