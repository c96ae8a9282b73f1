"""`GET /docs`: the API as one page for people, made of the OpenAPI schema; no script, nothing from the network."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Response

from heron.host.api.dashboard import PAGE_HEADERS
from heron.host.api.docs_page import render_page

PATH, STYLE_PATH = "/docs", "/docs.css"
PUBLIC_PATHS = (PATH, STYLE_PATH, "/openapi.json")
"""What needs no token: it tells of no user and no model."""


def docs_router(app: FastAPI, sockets: Mapping[str, str]) -> APIRouter:
    """The page of an application; `sockets` are its WebSockets, which no schema names, with a description each."""
    router = APIRouter()
    style = (files("heron.host.api") / "page" / "docs.css").read_bytes()

    @cache
    def page() -> str:
        return render_page(app.openapi(), sockets)

    @router.get(PATH, include_in_schema=False, response_model=None)
    async def show_page() -> Response:
        return Response(page(), media_type="text/html", headers=PAGE_HEADERS)

    @router.get(STYLE_PATH, include_in_schema=False, response_model=None)
    async def show_style() -> Response:
        return Response(style, media_type="text/css", headers=PAGE_HEADERS)

    return router
