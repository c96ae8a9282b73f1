"""textDocument/codeAction and codeAction/resolve: the menu comes from the syntax alone, the edit from the model.

A client that cannot resolve lazily gets the command `heron.runAction`, which sends the edit by workspace/applyEdit.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from heron.editor.document import Document
from heron.editor.lsp.action_data import ActionData, read_data, write_data
from heron.editor.lsp.code_action_support import ActionSupport, action_support
from heron.editor.lsp.convert import to_range
from heron.editor.lsp.cursor import note_cursor
from heron.editor.lsp.diagnostics import to_diagnostic
from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.ready_source import ReadySource
from heron.editor.lsp.session import Session
from heron.editor.lsp.workspace_edit import EditWriter, edit_support
from heron.errors import ContentModified, EditRefused, HeronError

if TYPE_CHECKING:
    from heron.editor.features.actions.action import Files
    from heron.editor.features.actions.actions import Entry
    from heron.editor.features.actions.proposal import Proposal

RUN_ACTION = "heron.runAction"
KINDS = ("quickfix", "refactor.rewrite", "refactor.extract", "source")
OPTIONS = types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True)
_TIME_S = 120.0
_NOT_READY = "The model is not ready yet."

Listed = types.CodeAction | types.Command


def answer_code_action(session: Session, params: types.CodeActionParams) -> list[Listed]:
    """The menu at a place. Reads the syntax, asks no model; unknown documents have none."""
    document = session.documents.get(params.text_document.uri)
    if document is None:
        return []
    note_cursor(session, document.uri, params.range.end)
    selection = to_range(document, params.range, session.encoding)
    given = list(params.context.diagnostics)
    diagnostics = tuple(to_diagnostic(item, document, session.encoding) for item in given)
    spot = session.actions.spot(document, selection, diagnostics)
    automatic = params.context.trigger_kind is types.CodeActionTriggerKind.Automatic
    support = action_support(session.server.client_capabilities)
    reason = _find_reason(session, support)
    if reason and automatic:
        return []
    only = tuple(str(getattr(kind, "value", kind)) for kind in params.context.only or ())
    found = session.actions.list(spot, only, automatic)
    menu = _Menu(document, params.range, given, support, reason)
    creates = edit_support(session.server.client_capabilities).create_files
    return [menu.write(entry) for entry in found if creates or not entry.offer.creates]


async def resolve_code_action(session: Session, action: types.CodeAction) -> types.CodeAction:
    """The action with its edit. An error if the document changed, or nothing good came of it."""
    if action.data is None and action.command is not None:  # Helix resolves what needs no resolving, too
        return action
    with rpc_errors():
        data = read_data(action.data)
        action.edit = edit_writer(session).write(await propose(session, data))
    return action


async def run_action(session: Session, name: str, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Make the edit of an action and have the client apply it, for clients that cannot resolve."""
    with rpc_errors():
        arguments = params.arguments or []
        data = read_data(arguments[0] if len(arguments) == 1 else None)
        proposal = await propose(session, data)
        return await apply_proposal(session, proposal)


async def apply_proposal(session: Session, proposal: "Proposal") -> dict[str, Any]:
    """Have the client apply a proposal; whether it did."""
    metadata = types.WorkspaceEditMetadata(is_refactoring=True) if edit_writer(session).support.metadata else None
    edit = edit_writer(session).write(proposal)
    asked = types.ApplyWorkspaceEditParams(edit, label=proposal.label, metadata=metadata)
    answer = await session.server.workspace_apply_edit_async(asked)
    return {"applied": answer.applied, "reason": answer.failure_reason or ""}


async def propose(session: Session, data: ActionData) -> "Proposal":
    """The edits of an action chosen from the menu, for the very document it was offered on."""
    from heron.editor.features.actions.action import Choice
    from heron.editor.features.actions.writer import Writer

    document = find_unchanged(session, data.uri, data.version)
    selection = to_range(document, data.range, session.encoding)
    diagnostics = tuple(to_diagnostic(item, document, session.encoding) for item in data.diagnostics)
    choice = Choice(session.actions.spot(document, selection, diagnostics), data.detail, _files(session))
    writer = Writer(ReadySource(session.chat_client, session.watch))
    try:
        async with asyncio.timeout(_TIME_S):
            proposal = await session.actions.propose(data.action, choice, writer)
    except TimeoutError:
        raise EditRefused(f"The model took longer than {_TIME_S:.0f} s.") from None
    find_unchanged(session, data.uri, data.version)
    return proposal


def find_unchanged(session: Session, uri: str, version: int) -> Document:
    """The open document in the version it is meant in. Raises ContentModified for another, and for a closed one."""
    document = session.documents.get(uri)
    name = uri.rsplit("/", 1)[-1]
    if document is None:
        raise ContentModified(f"{name} is not open any more.", hint="Open it and ask again.")
    if document.version != version:
        raise ContentModified(f"{name} was changed since the action was offered.", hint="Ask again.")
    return document


def _files(session: Session) -> "Files":
    """Other files of the workspace, read as tools read them: nothing outside it, nothing private."""
    from heron.editor.features.actions.action import Files
    from heron.editor.lsp.scene import find_document

    def exists(uri: str) -> bool:
        try:
            return session.workspace.locate(uri).exists()
        except HeronError:
            return False

    return Files(exists, lambda uri: find_document(session, uri))


def _find_reason(session: Session, support: ActionSupport) -> str:
    """Why actions are shown but cannot be chosen now; empty if they can, or if the client cannot show that."""
    if session.watch.is_ready or not support.disabled:
        return ""
    health = session.watch.health
    return (health.message if health and health.state == "failed" else "") or _NOT_READY


def edit_writer(session: Session) -> EditWriter:
    return EditWriter(edit_support(session.server.client_capabilities), session.encoding, session.documents.get)


@dataclass(frozen=True, slots=True)
class _Menu:
    """What all entries of one menu share. With a `reason` they are shown and cannot be chosen."""

    document: Document
    range: types.Range
    diagnostics: Sequence[types.Diagnostic]
    support: ActionSupport
    reason: str

    def write(self, entry: "Entry") -> Listed:
        """One entry, in the form the client understands."""
        offer = entry.offer
        mended = [] if offer.diagnostic is None else [self.diagnostics[offer.diagnostic]]
        command = self._command(entry, mended)
        if not self.support.literals:
            return command
        lazy = self.support.lazy and not offer.command
        reason = self.reason if offer.needs_model else ""
        return types.CodeAction(
            offer.title,
            kind=offer.kind,
            diagnostics=mended or None,
            is_preferred=True if offer.preferred and self.support.preferred else None,
            disabled=types.CodeActionDisabled(reason) if reason else None,
            command=None if lazy or reason else command,
            data=self._data(entry, mended) if lazy and not reason else None,
            tags=[types.CodeActionTag.LlmGenerated] if self.support.tags and offer.needs_model else None,
        )

    def _command(self, entry: "Entry", mended: list[types.Diagnostic]) -> types.Command:
        offer = entry.offer
        argument = self._argument(offer.detail) if offer.command else self._data(entry, mended)
        return types.Command(offer.title, offer.command or RUN_ACTION, arguments=[argument])

    def _data(self, entry: "Entry", mended: list[types.Diagnostic]) -> dict[str, Any]:
        document, detail = self.document, entry.offer.detail
        return write_data(ActionData(entry.action, document.uri, document.version, self.range, tuple(mended), detail))

    def _argument(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """What a chat command is given: the document, the selection, and what the offer adds."""
        from heron.editor.lsp.protocol_chat import plain_range

        selection = plain_range(self.range)
        return {"textDocument": {"uri": self.document.uri}, "selection": selection, **detail}
