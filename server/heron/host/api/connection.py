"""A connection that must get on with it, and on a Unix socket must be its owner's."""

import asyncio
import os
import socket
import struct
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from heron.host.engine.gathering import GatheredWrites

HEADER_TIME_S = 20.0
"""How long a request's head may take to arrive."""


class GuardedConnection(H11Protocol):
    """Uvicorn's connection. Closed if another user opened it, or if a request's head is late (slow loris).

    Head, events and end of a short answer, which uvicorn writes one by one, go out together.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        gathering: Any = GatheringTransport(transport)
        super().connection_made(gathering)
        if is_strangers(transport.get_extra_info("socket")):
            transport.abort()
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_waiting()  # a socket's silence is no late head
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._late = self.loop.call_later(HEADER_TIME_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class GatheringTransport:
    """A transport that writes once a turn of the event loop, before it closes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._writes = GatheredWrites(transport.write)
        self.write = self._writes.write

    def close(self) -> None:
        self._writes.flush()
        self._transport.close()

    def abort(self) -> None:
        self._writes.drop()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def is_strangers(connection: socket.socket) -> bool:
    """Whether a Unix socket was connected by a user who is neither this one nor root. Known on Linux only."""
    if not hasattr(socket, "SO_PEERCRED") or connection.family != socket.AF_UNIX:
        return False
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return uid not in (0, os.getuid())
