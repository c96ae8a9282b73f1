"""`GET /v1/overview` and what the dashboard does: all of a host at a glance, stopping a request, loading the model."""

import dataclasses
import os
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from heron import __version__
from heron.errors import InvalidRequest
from heron.host.api.ledger import Finished, Live
from heron.host.api.service import Service
from heron.host.engine.memory import resident_bytes

PATH = "/v1/overview"
Mark = Annotated[int, Query(ge=0, le=2**53)]
_SHOWN_S = 300.0
"""How far back the requests that ended are told."""


def overview_router(service: Service) -> APIRouter:
    router = APIRouter()
    pool, ledger, started = service.pool, service.ledger, time.time()

    @router.get(PATH)
    async def show_overview(ended: Mark = 0, failures: Mark = 0) -> dict[str, Any]:
        """Health, numbers, requests that run and ended of late, last errors. No text of any request.

        Who names the `marks` of its last look gets only the requests and errors that came since.
        """
        now, numbers = time.time(), await pool.metrics_of_others()
        return {
            "version": __version__,
            "health": dataclasses.asdict(pool.health()),
            "engine": await pool.metrics(),
            "others": [dataclasses.asdict(other) | {"engine": numbers.get(other.model, {})} for other in pool.others()],
            "host": {"pid": os.getpid(), "uptime_s": now - started, "resident_bytes": resident_bytes()},
            "running": [_show_live(live) for live in ledger.live.values()],
            "ended": [_show_finished(one) for one in ledger.ended_since(ended) if now - one.ended < _SHOWN_S],
            "failures": [dataclasses.asdict(failure) for failure in reversed(ledger.failures_since(failures))],
            "marks": {"ended": ledger.num_ended, "failures": ledger.num_failures},
            "cache": service.cache.metrics(),
        }

    @router.delete("/v1/requests/{request_id}")
    async def stop_request(request_id: str) -> dict[str, Any]:
        """Stop a request; its client is told."""
        if not ledger.revoke(request_id):
            raise InvalidRequest(f"No request {request_id!a} runs.", param="request_id")
        return {"stopped": request_id}

    @router.post("/v1/model/unload")
    async def unload() -> dict[str, Any]:
        """Give the memory of all models back now; the next request for one loads it again."""
        await pool.unload()
        return dataclasses.asdict(pool.health())

    @router.post("/v1/model/load")
    async def load() -> dict[str, Any]:
        """Load the chosen model if it is not."""
        await pool.wake()
        return dataclasses.asdict(pool.health())

    return router


def _show_live(live: Live) -> dict[str, Any]:
    return {
        "id": live.request.request_id,
        "client": live.request.client,
        "model": live.model,
        "priority": live.request.priority,
        "age_ms": live.age_ms(),
        "first_ms": live.first_ms or None,
        "completion_tokens": live.completion_tokens,
    }


def _show_finished(finished: Finished) -> dict[str, Any]:
    usage = finished.usage
    return {
        "ended": finished.ended,
        "client": finished.request.client,
        "model": finished.model,
        "priority": finished.request.priority,
        "outcome": finished.outcome,
        "first_ms": finished.first_ms or None,
        "whole_ms": finished.whole_ms,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
    }
