"""What the editor tells of completions it showed; counted in memory, nothing leaves it."""

from heron.editor.lsp.protocol import DID_PARTIALLY_ACCEPT_COMPLETION, DID_SHOW_COMPLETION
from heron.editor.lsp.session import Session


def note_shown(session: Session, params: object) -> None:
    _count(session, DID_SHOW_COMPLETION)


def note_partly_accepted(session: Session, params: object) -> None:
    _count(session, DID_PARTIALLY_ACCEPT_COMPLETION)


def _count(session: Session, event: str) -> None:
    session.events[event] = session.events.get(event, 0) + 1
