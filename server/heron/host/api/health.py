"""`GET /healthz`: whether the host is up, and how far its model is."""

import dataclasses
from typing import Any

from fastapi import APIRouter

from heron.host.api.engines import EnginePool

PATH = "/healthz"


def health_router(pool: EnginePool) -> APIRouter:
    router = APIRouter()

    @router.get(PATH)
    async def show_health() -> dict[str, Any]:
        """`wire.Health` as JSON; 200 whatever the model's state, for it is the host that answers."""
        return dataclasses.asdict(pool.health())

    return router
