"""The dashboard's page at `/`, and `POST /v1/dashboard`, which opens a door for this user's browser."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Response

from heron.errors import InvalidRequest

Doorkeeper = Callable[[], Awaitable[str]]
"""Listens for a browser and gives the address, the token in its fragment."""
PUBLIC_PATHS = ("/", "/dashboard.css", "/dashboard.js", "/dashboard-plot.js")
"""What needs no token: the page itself, which holds nothing and asks for all it shows."""
_FILES = {
    "/": ("index.html", "text/html"),
    "/dashboard.css": ("dashboard.css", "text/css"),
    "/dashboard.js": ("dashboard.js", "text/javascript"),
    "/dashboard-plot.js": ("dashboard-plot.js", "text/javascript"),
}
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""With every page: it takes nothing from elsewhere, and is shown in no frame."""


def dashboard_router(open_door: Doorkeeper | None) -> APIRouter:
    router = APIRouter()
    folder = files("heron.host.api") / "page"

    for path, (name, kind) in _FILES.items():
        content = (folder / name).read_bytes()

        def show(content: bytes = content, kind: str = kind) -> Response:
            return Response(content, media_type=kind, headers=PAGE_HEADERS)

        router.add_api_route(path, show, methods=["GET"], include_in_schema=False, response_model=None)

    @router.post("/v1/dashboard")
    async def open_dashboard() -> dict[str, Any]:
        """Where this user's browser finds the dashboard; the address holds a token of its own."""
        if open_door is None:
            raise InvalidRequest("This listener opens no dashboard.", hint="Ask by the host's own socket.")
        return {"url": await open_door()}

    return router
