"""The host as an ASGI application: routes, error bodies, the gate, and the pool's life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from heron import __version__
from heron.host.api.activity import Activity
from heron.host.api.auth import Auth
from heron.host.api.chat import chat_router
from heron.host.api.completions import completions_router
from heron.host.api.engines import EnginePool, Finished
from heron.host.api.errors import add_error_handlers
from heron.host.api.guard import Guard
from heron.host.api.health import health_router
from heron.host.api.llama import llama_router
from heron.host.api.lsp_socket import lsp_router
from heron.host.api.metrics import Telemetry, metrics_router
from heron.host.api.models import models_router
from heron.host.api.multiplex import multiplex_router
from heron.host.api.quotas import Quotas
from heron.host.api.stats import stats_router
from heron.settings import LimitSettings


def create_app(pool: EnginePool, auth: Auth, activity: Activity, limits: LimitSettings | None = None) -> FastAPI:
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
    telemetry, quotas = Telemetry(), Quotas(limits or LimitSettings())

    def observe(finished: Finished) -> None:
        telemetry.note(finished)
        quotas.note(finished)

    for answers in (completions_router, chat_router, llama_router):
        app.include_router(answers(pool, observe))
    for shows in (models_router, health_router, stats_router):
        app.include_router(shows(pool))
    app.include_router(metrics_router(pool, telemetry))
    app.include_router(multiplex_router())
    app.include_router(lsp_router())
    app.add_middleware(Guard, auth=auth, activity=activity, quotas=quotas)
    if auth.origins:
        app.add_middleware(CORSMiddleware, allow_origins=sorted(auth.origins), allow_methods=["*"], allow_headers=["*"])
    add_error_handlers(app)
    return app
