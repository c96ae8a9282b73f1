"""`heron host`: one host a home, on a Unix socket or loopback TCP, published for editors, leaving when idle."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from heron import discovery
from heron.errors import AddressInUse
from heron.host.api.doors import Doors
from heron.host.api.doorway import Endpoint, open_own_door, open_port
from heron.host.api.engines import EnginePool
from heron.host.api.service import Service, make_service
from heron.settings import Settings, home_folder

logger = logging.getLogger(__name__)

_HANDOVER_S = 20.0
"""How long to wait for a host that is just starting or leaving."""
_HANDOVER_POLL_S = 0.5


def serve_host(pool: EnginePool, settings: Settings, port: int | None = None) -> int:
    """Serve until idle or told to leave; the exit status. With a port also there, beside the home's own socket.

    If the home has a live host already, says so: that is success without a port (the editor that asked for a host
    has one) and AddressInUse with one. Raises AddressInUse too if the port is taken.
    """
    home = home_folder()
    with ExitStack() as stack:
        if not _lock(home, stack):
            return _defer(home, port)
        service = make_service(pool, settings.limits, settings.host.response_cache_mb)
        doors = Doors(service, open_own_door(home, stack), stack)
        if port is not None:
            _announce(doors.add(open_port(home, port, settings.host, stack)))
        _leave_on_signals(doors.main)
        discovery.write_record(home, doors.own.address)
        stack.callback(discovery.remove_record, home)
        logger.info("Heron host listens on %s", doors.own.address.socket_path or doors.own.address.base_url)
        asyncio.run(_serve(doors, leave_when_idle(doors.main, service, settings.host.idle_timeout_s)))
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


def _announce(endpoint: Endpoint) -> None:
    """Tell the person who asked for a port where it is, and, this once, the token if they do not know it."""
    token = "that of HERON_TOKEN" if os.environ.get("HERON_TOKEN") else endpoint.address.token
    sys.stdout.write(f"Heron host: {endpoint.address.base_url}/v1\nToken: {token}\n")
    sys.stdout.flush()


async def _serve(doors: Doors, leaving: Coroutine[None, None, None]) -> None:
    idle = asyncio.create_task(leaving, name="leave-when-idle")
    try:
        await doors.serve()
    finally:
        idle.cancel()


def _leave_on_signals(server: uvicorn.Server) -> None:
    """Let signals end the server in order from now on, not just while it serves.

    Uvicorn raises a signal anew, for the former handler, when it has shut down: its own handler takes that calmly.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)


async def leave_when_idle(server: uvicorn.Server, service: Service, timeout_s: float) -> None:
    """Tell the server to leave after so long without a request. A model being fetched or loaded is not idle."""
    activity = service.activity
    while (remaining_s := timeout_s - activity.idle_s()) > 0:
        await asyncio.sleep(remaining_s)
        if service.pool.health().state not in ("ready", "failed"):
            activity.touch()
    logger.info("No request for %g s: the host leaves", timeout_s)
    server.should_exit = True
