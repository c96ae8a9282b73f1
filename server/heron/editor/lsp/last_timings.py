"""heron/lastTimings, our own request: how the last inline completion went."""

from typing import Any

from heron.editor.lsp.protocol import timings_result
from heron.editor.lsp.session import Session


def answer_last_timings(session: Session, params: object) -> dict[str, Any] | None:
    return timings_result(session.last_timings) if session.last_timings else None
