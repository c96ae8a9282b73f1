"""`heron host`: one host a home, on a Unix socket or loopback TCP, published for editors, leaving when idle."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from heron import discovery
from heron.errors import AddressInUse
from heron.host.api.activity import Activity
from heron.host.api.app import create_app
from heron.host.api.connection import GuardedConnection
from heron.host.api.doorway import Endpoint, open_endpoint
from heron.host.api.engines import EnginePool
from heron.host.api.guard import MAX_BODY_BYTES
from heron.settings import Settings, home_folder

logger = logging.getLogger(__name__)

_LEAVE_GRACE_S = 3
"""How long streams may go on after a signal to leave."""
_HANDOVER_S = 20.0
"""How long to wait for a host that is just starting or leaving."""
_HANDOVER_POLL_S = 0.5


def serve_host(pool: EnginePool, settings: Settings, port: int | None = None) -> int:
    """Serve until idle or told to leave; the exit status. Without a port, on the home's Unix socket.

    If the home has a live host already, says so: that is success without a port (the editor that asked for a host
    has one) and AddressInUse with one. Raises AddressInUse too if the port is taken.
    """
    home = home_folder()
    with ExitStack() as stack:
        if not _lock(home, stack):
            return _defer(home, port)
        endpoint = open_endpoint(home, port, settings.host, stack)
        activity = Activity()
        app = create_app(pool, endpoint.auth, activity, settings.limits)
        server = uvicorn.Server(server_config(app, endpoint.certificate))
        _leave_on_signals(server)
        discovery.write_record(home, endpoint.address)
        stack.callback(discovery.remove_record, home)
        _announce(endpoint, port)
        leaving = leave_when_idle(server, pool, activity, settings.host.idle_timeout_s)
        asyncio.run(_serve(server, endpoint, leaving))
    return 0


def _lock(home: Path, stack: ExitStack) -> bool:
    """Whether this process is now the host of the home. False if another one answers; waits for one that leaves."""
    lock = FileLock(discovery.run_folder(home) / "host.lock")
    deadline = time.monotonic() + _HANDOVER_S
    while time.monotonic() < deadline:
        with suppress(Timeout):
            stack.enter_context(lock.acquire(timeout=_HANDOVER_POLL_S))
            return True
        if discovery.find_host(home):
            return False
        logger.info("Waiting for a Heron host that is starting or leaving")
    raise AddressInUse(f"Another Heron host holds {lock.lock_file} and does not answer.")


def _defer(home: Path, port: int | None) -> int:
    record = discovery.read_record(home)
    pid = f" (pid {record.pid})" if record else ""
    message = f"A Heron host is already running for {home}{pid}."
    if port is not None:
        raise AddressInUse(message, hint="Stop it first, or set HERON_HOME to another folder.")
    logger.info(message)
    return 0


def _announce(endpoint: Endpoint, port: int | None) -> None:
    """Tell the person who asked for a port where it is, and, this once, the token if they do not know it."""
    address = endpoint.address
    logger.info("Heron host listens on %s", address.socket_path or address.base_url)
    if port is not None:
        token = "that of HERON_TOKEN" if os.environ.get("HERON_TOKEN") else address.token
        sys.stdout.write(f"Heron host: {address.base_url}/v1\nToken: {token}\n")
        sys.stdout.flush()


async def _serve(server: uvicorn.Server, endpoint: Endpoint, leaving: Coroutine[None, None, None]) -> None:
    idle = asyncio.create_task(leaving, name="leave-when-idle")
    try:
        await server.serve(sockets=[endpoint.listener])
    finally:
        idle.cancel()


def server_config(app: Callable[..., object], certificate: tuple[str, str] | None = None) -> uvicorn.Config:
    """How uvicorn serves the application: no access log, and no trust in proxies' headers."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=GuardedConnection,
        ws="websockets-sansio",
        ws_max_size=MAX_BODY_BYTES,
        lifespan="on",
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


def _leave_on_signals(server: uvicorn.Server) -> None:
    """Let signals end the server in order from now on, not just while it serves.

    Uvicorn raises a signal anew, for the former handler, when it has shut down: its own handler takes that calmly.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)


async def leave_when_idle(server: uvicorn.Server, pool: EnginePool, activity: Activity, timeout_s: float) -> None:
    """Tell the server to leave after so long without a request. A model being fetched or loaded is not idle."""
    while (remaining_s := timeout_s - activity.idle_s()) > 0:
        await asyncio.sleep(remaining_s)
        if pool.health().state not in ("ready", "failed"):
            activity.touch()
    logger.info("No request for %g s: the host leaves", timeout_s)
    server.should_exit = True
