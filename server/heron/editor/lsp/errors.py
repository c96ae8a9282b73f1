"""Errors as JSON-RPC: the codes of LSP 3.18 and the sentences that go with them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from cattrs import transform_error
from pygls.exceptions import JsonRpcException

from heron.errors import ContentModified, HeronError, InvalidRequest

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
NOT_INITIALIZED = -32002
REQUEST_FAILED = -32803
CONTENT_MODIFIED = -32801


@contextmanager
def rpc_errors() -> Iterator[None]:
    """Let a HeronError out as the error of a response: our sentence, and our own code and category in its data."""
    try:
        yield
    except HeronError as error:
        code = _code_of(error)
        data = {"code": error.code, "category": error.category}
        raise JsonRpcException(str(error), code, data) from error


def _code_of(error: HeronError) -> int:
    if isinstance(error, ContentModified):
        return CONTENT_MODIFIED
    return INVALID_PARAMS if isinstance(error, InvalidRequest) else REQUEST_FAILED


def error_body(request_id: str | int | None, code: int, message: str) -> bytes:
    """A response that tells of an error; a null id where the request's own could not be read."""
    error = {"code": code, "message": message}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": error}).encode()


def explain_params(error: Exception) -> str:
    """Why a message's params do not have the shape LSP gives them, naming places and types but no values."""
    try:
        reasons = transform_error(error, path="message")
    except Exception:
        reasons = []
    return f"The params are wrong: {'; '.join(reasons[:3]) or 'they do not have the shape of this method'}."
