"""The listeners of one host: its own socket first, whose server leads; others come and end with it."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import uvicorn

from heron.host.api.app import create_app
from heron.host.api.connection import GuardedConnection
from heron.host.api.doorway import Endpoint, open_loopback
from heron.host.api.guard import MAX_BODY_BYTES
from heron.host.api.service import Service

_LEAVE_GRACE_S = 3
"""How long streams may go on after a signal to leave."""


class Doors:
    """Servers over one service. Used before the event loop runs, then from within it."""

    def __init__(self, service: Service, own: Endpoint, stack: ExitStack) -> None:
        self._service, self._stack = service, stack
        self.own = own
        self.main = uvicorn.Server(server_config(create_app(service, own.auth, self._open_dashboard)))
        self._others: list[tuple[Endpoint, uvicorn.Server]] = []
        self._running: list[asyncio.Task[None]] = []
        self._dashboard = ""

    def add(self, endpoint: Endpoint) -> Endpoint:
        """Let an endpoint be served too; the endpoint."""
        app = create_app(self._service, endpoint.auth)
        self._others.append((endpoint, _Follower(server_config(app, endpoint.certificate, lifespan="off"))))
        return endpoint

    async def serve(self) -> None:
        """Serve all until the main server ends."""
        for endpoint, server in self._others:
            self._start(endpoint, server)
        try:
            await self.main.serve(sockets=[self.own.listener])
        finally:
            for _, server in self._others:
                server.should_exit = True
            await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, endpoint: Endpoint, server: uvicorn.Server) -> None:
        self._running.append(asyncio.create_task(server.serve(sockets=[endpoint.listener])))

    async def _open_dashboard(self) -> str:
        """Where a browser finds the dashboard: a door of its own on loopback, opened at the first call."""
        if not self._dashboard:
            endpoint = self.add(open_loopback(secrets.token_urlsafe(32), self._stack))
            self._start(*self._others[-1])
            self._dashboard = f"{endpoint.address.base_url}/#{endpoint.address.token}"
        return self._dashboard


class _Follower(uvicorn.Server):
    """A server that leaves signals to the main one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_config(
    app: Callable[..., object], certificate: tuple[str, str] | None = None, lifespan: Literal["on", "off"] = "on"
) -> uvicorn.Config:
    """How uvicorn serves the application: no access log, and no trust in proxies' headers."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=GuardedConnection,
        ws="websockets-sansio",
        ws_max_size=MAX_BODY_BYTES,
        lifespan=lifespan,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
        timeout_graceful_shutdown=_LEAVE_GRACE_S,
    )
