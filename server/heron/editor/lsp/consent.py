"""Asking the user, by window/showMessageRequest, whether the model may use a tool."""

from collections.abc import Mapping
from types import MappingProxyType

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from heron.editor.tools.consent import Answer, ConsentQuestion

_ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {"Allow once": "once", "Always in this workspace": "always", "No": "no", "Never in this workspace": "never"}
)
_ONE_TIME = ("Allow once", "No")


async def ask_user(server: LanguageServer, question: ConsentQuestion) -> Answer:
    """The user's answer; a dialog that is closed, or a client that shows none, means no."""
    offered = tuple(_ANSWERS) if question.may_remember else _ONE_TIME
    actions = [types.MessageActionItem(title) for title in offered]
    params = types.ShowMessageRequestParams(types.MessageType.Warning, question.text, actions)
    try:
        chosen = await server.window_show_message_request_async(params)
    except JsonRpcException:
        return "no"
    return _ANSWERS.get(chosen.title, "no") if chosen and chosen.title in offered else "no"
