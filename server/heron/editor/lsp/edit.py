"""heron/edit: change a selection by an instruction, previewed by `$/progress` while the model writes."""

import asyncio
from typing import Any

from lsprotocol import types

from heron.editor.lsp.code_action import edit_writer, find_unchanged
from heron.editor.lsp.convert import to_range
from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.fields import read_fields
from heron.editor.lsp.ready_source import ReadySource
from heron.editor.lsp.session import Session
from heron.errors import EditRefused, InvalidRequest

_TIME_S = 120.0
_VERSIONS = (-(2**31), 2**31 - 1)


async def answer_edit(session: Session, params: object) -> dict[str, Any]:
    """The edit, for the client to show and to apply: `{label, edit}`. ContentModified if the document changed."""
    from heron.editor.features.actions.instruct import edit_by_instruction
    from heron.editor.features.actions.writer import Writer

    with rpc_errors():
        fields = read_fields(params)
        given, range_ = fields.child("textDocument"), fields.range("range")
        if given is None or range_ is None:
            missing = "range" if given else "textDocument"
            raise InvalidRequest(f"{missing} is missing.", param=missing)
        uri, version = given.text("uri"), given.number("version", 0, _VERSIONS)
        document = find_unchanged(session, uri, version)
        spot = session.actions.spot(document, to_range(document, range_, session.encoding))
        preview = _Preview(session, fields.token("workDoneToken"))
        writer = Writer(ReadySource(session.chat_client, session.watch), preview.report)
        try:
            async with asyncio.timeout(_TIME_S):
                proposal = await edit_by_instruction(spot, fields.text("instruction"), writer)
        except TimeoutError:
            raise EditRefused(f"The model took longer than {_TIME_S:.0f} s.") from None
        find_unchanged(session, uri, version)
        return {"label": proposal.label, "edit": edit_writer(session).write(proposal)}


class _Preview:
    """Tells what was written since the last report; a text that begins anew is a second try."""

    def __init__(self, session: Session, token: str | int | None) -> None:
        self._session, self._token = session, token
        self._told = ""

    def report(self, text: str) -> None:
        if self._token is None:
            return
        is_new = not self._told or not text.startswith(self._told)
        value = {"kind": "report", "restart": is_new, "delta": text if is_new else text[len(self._told) :]}
        self._told = text
        self._session.server.protocol.notify(types.PROGRESS, types.ProgressParams(self._token, value))
