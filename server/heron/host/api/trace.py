"""`GET /v1/trace`: what the host and its engines did in the last seconds, for chrome://tracing and Perfetto."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from heron.host.api.ledger import Finished, Ledger, Live
from heron.host.api.service import Service
from heron.host.api.trace_events import Traced, make_trace

PATH = "/v1/trace"
MAX_SECONDS = 600.0


def trace_router(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get(PATH)
    async def show_trace(seconds: Annotated[float, Query(ge=0.1, le=MAX_SECONDS)] = 60.0) -> dict[str, Any]:
        """The requests that ran within the last seconds, and the engines' steps. No text of any request."""
        now_s = time.monotonic()
        since_s = now_s - seconds
        steps = await service.pool.steps(since_s)
        return make_trace(_requests(service.ledger, since_s, now_s), steps)

    return router


def _requests(ledger: Ledger, since_s: float, now_s: float) -> list[Traced]:
    ended = [_ended(one) for one in ledger.ended if one.begin_s + one.whole_ms / 1e3 >= since_s]
    return ended + [_running(live, now_s) for live in ledger.live.values()]


def _ended(one: Finished) -> Traced:
    request, usage = one.request, one.usage
    details = {
        "outcome": one.outcome,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "accepted_draft_tokens": usage.accepted_draft_tokens,
    }
    end_s = one.begin_s + one.whole_ms / 1e3
    name = f"{request.priority} of {request.client or 'an unnamed client'}"
    return Traced(request.request_id, name, one.begin_s, _first_s(one.begin_s, one.first_ms), end_s, details)


def _running(live: Live, now_s: float) -> Traced:
    request = live.request
    name = f"{request.priority} of {request.client or 'an unnamed client'}"
    details = {"outcome": "running", "completion_tokens": live.completion_tokens}
    return Traced(request.request_id, name, live.begin_s, _first_s(live.begin_s, live.first_ms), now_s, details)


def _first_s(begin_s: float, first_ms: float) -> float:
    return begin_s + first_ms / 1e3 if first_ms else 0.0
