"""What completions and chat answers have in common: the envelope, the usage, and the whole of a stream."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from fastapi import Request

from heron import __version__
from heron.errors import InvalidRequest
from heron.host.api.quotas import join_client
from heron.host.api.response_cache import ResponseCache
from heron.host.api.timings import Stopwatch
from heron.host.engine.merging import join_deltas
from heron.wire import CLIENT_HEADER, PRIORITY_HEADER, Delta, Priority, Usage

WantedUsage = Literal["none", "last", "continuous"]
_PRIORITIES: tuple[Priority, ...] = ("completion", "chat", "background")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields around the choices, the same in every object of one answer. `created` is in seconds since 1970."""

    id: str
    object: str
    created: int
    model: str

    def wrap(self, *choices: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": self.object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": f"heron-{__version__}",
            "choices": list(choices),
        }


def new_envelope(prefix: str, kind: str, model: str) -> Envelope:
    return Envelope(f"{prefix}-{uuid4().hex}", kind, int(time.time()), model)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a stream needs beside its deltas: the envelope, how much usage is wanted, and the times."""

    envelope: Envelope
    wanted: WantedUsage
    watch: Stopwatch

    def close(self, last: Delta) -> dict[str, Any]:
        """The object for the usage, after all choices."""
        return self.envelope.wrap() | {"usage": usage_object(last.usage), "timings": self.watch.timings()}


def usage_object(usage: Usage | None) -> dict[str, Any]:
    usage = usage or Usage()
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {
            "accepted_prediction_tokens": usage.accepted_draft_tokens,
            "rejected_prediction_tokens": usage.draft_tokens - usage.accepted_draft_tokens,
        },
    }


def usage_so_far(delta: Delta, wanted: WantedUsage) -> dict[str, Any]:
    """The usage field of an event that is not the one for the usage: null unless a client wants it in all."""
    if wanted == "none":
        return {}
    return {"usage": usage_object(delta.usage) if wanted == "continuous" and delta.usage else None}


async def collect(deltas: AsyncGenerator[Delta, None]) -> Delta:
    """A whole stream as one delta."""
    async with aclosing(deltas):
        return join_deltas([delta async for delta in deltas])


def read_priority(request: Request, default: Priority) -> Priority:
    """The priority a client asks for by header; background work waits for everybody else's."""
    asked = request.headers.get(PRIORITY_HEADER, default)
    for priority in _PRIORITIES:
        if asked == priority:
            return priority
    message = f"{PRIORITY_HEADER}: {asked!a} is not allowed; it must be one of {', '.join(_PRIORITIES)}."
    raise InvalidRequest(message, param=PRIORITY_HEADER)


def cache_for(request: Request, cache: ResponseCache) -> ResponseCache | None:
    """The cache, unless the client wants the model to answer: `Cache-Control: no-store` or `no-cache`, RFC 9111."""
    wishes = {wish.strip().lower() for wish in request.headers.get("cache-control", "").split(",")}
    return None if wishes & {"no-store", "no-cache"} else cache


def read_client(request: Request, user: str | None) -> str:
    """Whose request it is: its token, and the header, else OpenAI's `user`, else the peer's address, shortened."""
    peer = request.client.host if request.client else ""
    named = request.headers.get(CLIENT_HEADER) or user or peer
    return join_client(request.state.grant.client, named)
