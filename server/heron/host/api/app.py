"""The host as an ASGI application: routes, error bodies, the gate, and the pool's life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from heron import __version__
from heron.host.api import lsp_socket, multiplex
from heron.host.api.auth import Auth
from heron.host.api.chat import chat_router
from heron.host.api.completions import completions_router
from heron.host.api.dashboard import Doorkeeper, dashboard_router
from heron.host.api.docs import docs_router
from heron.host.api.embeddings import embeddings_router
from heron.host.api.errors import add_error_handlers
from heron.host.api.guard import Guard
from heron.host.api.health import health_router
from heron.host.api.llama import llama_router
from heron.host.api.metrics import metrics_router
from heron.host.api.models import models_router
from heron.host.api.notice import Notice
from heron.host.api.openapi import DescribedApp
from heron.host.api.overview import overview_router
from heron.host.api.service import Service
from heron.host.api.stats import stats_router
from heron.host.api.trace import trace_router


def create_app(service: Service, auth: Auth, open_door: Doorkeeper | None = None) -> FastAPI:
    """OpenAI's API over a service, whose pool starts and closes with the application.

    `/docs` is ours: FastAPI's would fetch scripts from the network. `open_door` lets this user open the dashboard in a
    browser.
    """
    pool = service.pool

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await pool.start()
        try:
            yield
        finally:
            await pool.close()

    app = DescribedApp(
        title="Heron", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for answers in (completions_router, chat_router, llama_router):
        app.include_router(answers(service))
    for shows in (models_router, health_router, stats_router, embeddings_router):
        app.include_router(shows(pool))
    for router in (
        metrics_router(pool, service.telemetry, service.cache),
        overview_router(service),
        trace_router(service),
        dashboard_router(open_door),
        docs_router(app, {multiplex.PATH: multiplex.__doc__ or "", lsp_socket.PATH: lsp_socket.__doc__ or ""}),
        multiplex.multiplex_router(),
        lsp_socket.lsp_router(),
    ):
        app.include_router(router)
    app.add_middleware(Notice, pool=pool)
    app.add_middleware(Guard, auth=auth, service=service)
    if auth.origins:
        app.add_middleware(CORSMiddleware, allow_origins=sorted(auth.origins), allow_methods=["*"], allow_headers=["*"])
    add_error_handlers(app)
    return app
