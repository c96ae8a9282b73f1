"""`GET /v1/stats`: what the host, its pool and its engine are doing, as numbers."""

import dataclasses
import os
import time
from typing import Any

from fastapi import APIRouter

from heron.host.api.engines import EnginePool
from heron.host.engine.memory import resident_bytes

PATH = "/v1/stats"


def stats_router(pool: EnginePool) -> APIRouter:
    router = APIRouter()
    started_s = time.monotonic()

    @router.get(PATH)
    async def show_stats() -> dict[str, Any]:
        """Health, counters (names end in `_total`) and gauges; a model that is unloaded is not loaded for it."""
        return {
            "health": dataclasses.asdict(pool.health()),
            "engine": await pool.metrics(),
            "host": {
                "pid": os.getpid(),
                "uptime_s": time.monotonic() - started_s,
                "resident_bytes": resident_bytes(),
            },
        }

    return router
