"""A connection that must get on with it, and on a Unix socket must be its owner's."""

import asyncio
import os
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from heron.host.engine.gathering import GatheredWrites

HEADER_TIME_S = 20.0
"""How long a request's head may take to arrive."""
MAX_HEAD_BYTES = 65536
"""What may have come of a head that is not complete yet."""


class GuardedConnection(HttpToolsProtocol):
    """Uvicorn's connection. Closed if another user opened it, or if a request's head is late (slow loris) or too large.

    Head, events and end of a short answer, which uvicorn writes one by one, go out together.
    """

    _late: asyncio.TimerHandle | None = None
    _num_head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        gathering: Any = GatheringTransport(transport)
        super().connection_made(gathering)
        if is_strangers(transport.get_extra_info("socket")):
            transport.abort()
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._late is None and self._awaits_head:
            self._await_head()
        super().data_received(data)
        if not self._awaits_head:
            self._stop_waiting()
            return
        self._num_head_bytes += len(data)
        if self._late is not None and self._num_head_bytes > MAX_HEAD_BYTES:
            self._stop_waiting()
            self.send_400_response(f"The head is larger than {MAX_HEAD_BYTES // 1024} KiB.")

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()  # a socket's silence is no late head
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _awaits_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._num_head_bytes = 0
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
