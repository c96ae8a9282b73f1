"""The application's OpenAPI schema, as it truly answers: errors in OpenAI's shape, and a wrong request is a 400."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "code", "param"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "string"},
                "param": {"type": ["string", "null"]},
            },
        }
    },
}
_STATUSES = {
    "400": "The request is wrong; the message says where.",
    "401": "The token is missing or not one of this host.",
    "403": "The token, the name or the web page may not ask this.",
    "404": "There is no such model.",
    "408": "The body came too slowly.",
    "409": "The request was stopped on the dashboard.",
    "413": "The body is too large.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "The model is not ready.",
}

_OTHER_KINDS = {
    "/v1/completions": ("text/event-stream",),
    "/v1/chat/completions": ("text/event-stream",),
    "/infill": ("text/event-stream",),
    "/metrics": ("text/plain",),
}
"""What a route answers with beside JSON."""


class DescribedApp(FastAPI):
    """An application whose schema names the errors it answers with in place of FastAPI's own."""

    def openapi(self) -> dict[str, Any]:
        """The schema, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _make_schema(self)
        return self.openapi_schema


def _make_schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers = {status: {"description": text, "content": content} for status, text in _STATUSES.items()}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            operation["responses"]["200"]["content"] |= {kind: {} for kind in _OTHER_KINDS.get(path, ())}
            operation["responses"].pop("422", None)
            operation["responses"] |= answers
    return schema
