"""What stands between the wire and pygls: every message is checked here, and a bad one is answered here.

pygls 2.1.1 answers requests before `initialize`, is silent after `shutdown`, and opens a popup and sends no reply for
malformed JSON or params. What passes this gate is a message pygls handles well.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Literal

import attrs
from cattrs import Converter
from pygls.lsp.server import LanguageServer
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage

from heron.editor.lsp import errors
from heron.editor.lsp.framing import Fault, frame
from heron.editor.lsp.protocol import OWN_PARAMS

logger = logging.getLogger(__name__)

Phase = Literal["fresh", "running", "shutdown", "exited"]


class Gate:
    """The life of one connection, LSP 3.18 "Server lifecycle", and the checks that belong to it.

    `send` takes framed bytes. After `exit`, `exit_code` is 0 if `shutdown` came before it.
    """

    def __init__(self, server: LanguageServer, converter: Converter, send: Callable[[bytes], None]) -> None:
        self._protocol = server.protocol
        self._converter = converter
        self._send = send
        self.phase: Phase = "fresh"
        self.exit_code = 1

    def receive(self, item: bytes | Fault) -> None:
        """Handle one body or fault of the stream."""
        if isinstance(item, Fault):
            return self._refuse(None, errors.PARSE_ERROR, item.message)
        try:
            message = json.loads(item)
        except (ValueError, RecursionError):
            return self._refuse(None, errors.PARSE_ERROR, "The message is not valid JSON in UTF-8.")
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            said = "Batches are not part of LSP." if isinstance(message, list) else "This is no JSON-RPC 2.0 message."
            return self._refuse(None, errors.INVALID_REQUEST, said)
        if "method" not in message:
            return self._receive_response(message)
        if "id" in message:
            return self._receive_request(message)
        self._receive_notification(message)

    def _receive_request(self, message: dict[str, Any]) -> None:
        request_id, method = message["id"], message["method"]
        if not _is_id(request_id) or not isinstance(method, str):
            said = "A request has a string or an integer as id, and a string as method."
            return self._refuse(request_id if _is_id(request_id) else None, errors.INVALID_REQUEST, said)
        if refusal := self._refusal(method):
            return self._refuse(request_id, *refusal)
        try:
            structured = self._structure(message)
        except Exception as error:
            return self._refuse(request_id, errors.INVALID_PARAMS, errors.explain_params(error))
        self._advance(method)
        self._protocol.handle_message(structured)

    def _receive_notification(self, message: dict[str, Any]) -> None:
        method = message["method"]
        if method == "exit":
            self._advance(method)
        if self.phase != "running" or not isinstance(method, str) or not self._knows(method):
            logger.debug("Ignoring the notification %r while %s", method, self.phase)
            return
        try:
            structured = self._structure(message)
        except Exception as error:
            logger.warning("Ignoring the notification %s: %s", method, errors.explain_params(error))
            return
        self._protocol.handle_message(structured)

    def _receive_response(self, message: dict[str, Any]) -> None:
        if not _is_id(message.get("id")):
            logger.warning("Ignoring a message that is neither request, notification nor response")
            return
        try:
            self._protocol.handle_message(self._protocol.structure_message(message))
        except Exception:
            logger.warning("Ignoring a response that does not have the shape of its method's")

    def _refusal(self, method: str) -> tuple[int, str] | None:
        """Code and sentence for a request that may not run now, or ever."""
        if self.phase == "fresh" and method != "initialize":
            return errors.NOT_INITIALIZED, f"The server is not initialized; {method} has to wait."
        if self.phase != "fresh" and method == "initialize":
            return errors.INVALID_REQUEST, "The server is initialized already."
        if self.phase in ("shutdown", "exited"):
            return errors.INVALID_REQUEST, f"The server is shut down; {method} comes too late."
        if not self._knows(method) or not self._is_request(method):
            return errors.METHOD_NOT_FOUND, f"Heron has no request {method!r}."
        return None

    def _advance(self, method: str) -> None:
        match method:
            case "initialize":
                self.phase = "running"
            case "shutdown":
                self.phase = "shutdown"
            case "exit":
                self.exit_code = 0 if self.phase == "shutdown" else 1
                self.phase = "exited"

    def _knows(self, method: str) -> bool:
        manager = self._protocol.fm
        return method in manager.features or method in manager.builtin_features or method == "$/cancelRequest"

    def _is_request(self, method: str) -> bool:
        """Whether LSP gives the method a response; our own methods may be sent either way."""
        kind = self._protocol.get_message_type(method)
        return kind is None or any(field.name == "id" for field in attrs.fields(kind))

    def _structure(self, message: dict[str, Any]) -> Any:
        """The message as lsprotocol's type; params of our own methods as `OWN_PARAMS` says, else as they are."""
        method, params = message["method"], message.get("params")
        if kind := self._protocol.get_message_type(method):
            return self._converter.structure({"params": None, **message}, kind)
        if own := OWN_PARAMS.get(method):
            params = self._converter.structure(params, own)
        if "id" in message:
            return JsonRPCRequestMessage(message["id"], method, "2.0", params)
        return JsonRPCNotification(method, "2.0", params)

    def _refuse(self, request_id: str | int | None, code: int, said: str) -> None:
        logger.warning("Refusing a message: %s", said)
        self._send(frame(errors.error_body(request_id, code, said)))


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
