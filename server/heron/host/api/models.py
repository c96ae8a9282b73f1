"""`GET /v1/models`: what this host serves."""

import time
from typing import Any

from fastapi import APIRouter, Request

from heron.errors import UnknownModel
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import ANY_MODEL, EnginePool, ready_engine
from heron.wire import ModelInfo


def models_router(pool: EnginePool) -> APIRouter:
    router = APIRouter()
    created = int(time.time())

    @router.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        """The chosen model, with its capabilities once it is loaded, and the others that may be asked for."""
        return {"object": "list", "data": await _models(pool, created)}

    @router.get("/v1/models/{model:path}")
    async def show_model(model: str) -> dict[str, Any]:
        """One model by its id."""
        served = await _models(pool, created)
        for item in served:
            if item["id"] == model:
                return item
        names = ", ".join(repr(item["id"]) for item in served) or "no model yet"
        raise UnknownModel(f"The model {model!a} is not served here.", hint=f"This host serves {names}.")

    @router.post("/v1/models/{model:path}/load")
    async def load_model(model: str, request: Request) -> dict[str, Any]:
        """Load a model and tell its capabilities; another than the chosen one has to be installed.

        One that was loaded before is told at once.
        """
        await pool.wake(model)
        engine = await while_connected(request.receive, ready_engine(pool, model))
        return _model_object(engine.model, created)

    @router.post("/v1/models/{model:path}/unload")
    async def unload_model(model: str) -> dict[str, Any]:
        """Give a model's memory back now; the next request for it loads it again."""
        await pool.unload(model)
        return {"id": model, "object": "model"}

    return router


async def _models(pool: EnginePool, created: int) -> list[dict[str, Any]]:
    others = [_head(other.model, created) | {"state": other.state} for other in pool.others()]
    return await _chosen(pool, created) + others


async def _chosen(pool: EnginePool, created: int) -> list[dict[str, Any]]:
    health = pool.health()
    if health.state == "ready":
        return [_model_object((await pool.engine()).model, created)]
    return [] if health.model in ANY_MODEL else [_head(health.model, created)]


def _model_object(model: ModelInfo, created: int) -> dict[str, Any]:
    return _head(model.id, created) | {
        "context_window": model.context_window,
        "capabilities": {"fim": model.supports_fim, "chat": model.supports_chat, "tools": model.supports_tools},
    }


def _head(model: str, created: int) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": created, "owned_by": "heron"}
