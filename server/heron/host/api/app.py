"""The host as an ASGI application: routes, error bodies, the gate, and the pool's life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from heron import __version__
from heron.host.api.activity import Activity
from heron.host.api.auth import Auth
from heron.host.api.chat import chat_router
from heron.host.api.completions import completions_router
from heron.host.api.engines import EnginePool
from heron.host.api.errors import add_error_handlers
from heron.host.api.guard import Guard
from heron.host.api.health import health_router
from heron.host.api.llama import llama_router
from heron.host.api.models import models_router
from heron.host.api.stats import stats_router


def create_app(pool: EnginePool, auth: Auth, activity: Activity) -> FastAPI:
    """OpenAI's API over a pool, which starts and closes with the application.

    There is no `/docs`: its page would fetch scripts from the network. The schema is at `/openapi.json`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await pool.start()
        try:
            yield
        finally:
            await pool.close()

    app = FastAPI(
        title="Heron", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for make_router in (completions_router, chat_router, models_router, health_router, stats_router, llama_router):
        app.include_router(make_router(pool))
    app.add_middleware(Guard, auth=auth, activity=activity)
    add_error_handlers(app)
    return app
