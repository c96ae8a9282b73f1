"""Whose process is at the other end of a loopback connection, as far as the system tells."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""Linux's connections: proc(5); the columns used are local address, remote address and uid."""


def is_strangers(writer: asyncio.StreamWriter) -> bool:
    """Whether another user of this machine, not root, made a connection. False where the system does not tell."""
    peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
    return any(uid not in (0, os.getuid()) for uid in owners(peer[1], own[1]))


def owners(port: int, remote_port: int) -> Iterator[int]:
    """The users of this machine whose sockets join two ports."""
    for table in _TABLES:
        with suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if (_port(columns[1]), _port(columns[2])) == (port, remote_port):
                    yield int(columns[7])


def _port(address: str) -> int:
    """0100007F:1F90 as 8080"""
    return int(address.rpartition(":")[2], 16)
