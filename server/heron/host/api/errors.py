"""Errors as HTTP: the one place where a HeronError becomes a status and an OpenAI error body."""

import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from heron.errors import (
    CompileFailed,
    HeronError,
    InvalidRequest,
    LoadHung,
    ModelError,
    Overloaded,
    PromptTooLong,
    ResourceError,
    Revoked,
    Unauthorized,
    UnknownModel,
    WorkerCrashed,
)
from heron.host.api.disconnect import ClientGone

logger = logging.getLogger(__name__)

Body = dict[str, Any]

_STATUSES: tuple[tuple[type[HeronError], int], ...] = (
    (InvalidRequest, 400),
    (PromptTooLong, 400),
    (Unauthorized, 401),
    (UnknownModel, 404),
    (Revoked, 409),
    (Overloaded, 429),
    (CompileFailed, 500),
    (LoadHung, 503),
    (ModelError, 503),
    (ResourceError, 503),
    (WorkerCrashed, 503),
)
"""First match wins; the rest is 500."""
_CODES = {401: "invalid_api_key", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_INTERNAL = HeronError("Heron failed to answer this request.", hint="The host's log has the cause.")


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in OpenAI's shape."""
    app.add_exception_handler(HeronError, _answer_heron_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(ClientGone, _answer_nobody)
    app.add_exception_handler(Exception, _answer_unexpected)


def error_response(error: HeronError) -> JSONResponse:
    status = _status(error)
    return JSONResponse(error_body(error), status, headers=_headers(error, status))


def error_body(error: HeronError) -> Body:
    """The body of an answer that failed, also sent as the last event of a stream that fails midway."""
    param = error.param if isinstance(error, InvalidRequest) else ""
    code = _CODES[401] if isinstance(error, Unauthorized) else error.code
    return _body(_status(error), str(error), code, param)


def http_error(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer to a request that no route got to see."""
    return JSONResponse(_body(status, message, _CODES.get(status, "http_error")), status, headers=headers)


def hide_cause(error: Exception) -> HeronError:
    """The error itself if it is for users, else a general one, the cause going to the log."""
    if isinstance(error, HeronError):
        return error
    logger.error("Request failed unexpectedly", exc_info=error)
    return _INTERNAL


def _body(status: int, message: str, code: str, param: str = "") -> Body:
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "code": code, "param": param or None}}


def _status(error: HeronError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def _headers(error: HeronError, status: int) -> dict[str, str]:
    if isinstance(error, Overloaded):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status, {})


async def _answer_heron_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HeronError)
    return error_response(error)


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(_describe(error.errors()[0]))


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    messages = {404: f"There is no route {where}.", 405: f"{where} is not allowed here.", 400: "The body is not JSON."}
    return http_error(error.status_code, messages.get(error.status_code, error.detail), error.headers)


async def _answer_nobody(request: Request, error: Exception) -> Response:
    """Nobody reads this; 499 is what nginx writes down for a client that left."""
    return Response(status_code=499)


async def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Starlette raises the error again afterwards, so that the server logs it."""
    return error_response(_INTERNAL)


def _describe(problem: Mapping[str, Any]) -> InvalidRequest:
    """One pydantic problem as a sentence that names the field, what is allowed, and what came."""
    if problem["type"] == "json_invalid":
        where = f"{problem['ctx']['error']} at character {problem['loc'][-1]}"
        return InvalidRequest(f"The body is not valid JSON: {where}.")
    field = _field(problem["loc"][1:])
    if not field:
        return InvalidRequest("The body must be a JSON object, sent with Content-Type: application/json.")
    if problem["type"] == "missing":
        return InvalidRequest(f"{field} is missing.", param=field)
    rule = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return InvalidRequest(f"{field}: {_shorten(problem['input'])} is not allowed; it {rule}.", param=field)


def _field(location: tuple[str | int, ...]) -> str:
    """("messages", 0, "content") as messages[0].content"""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _shorten(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
