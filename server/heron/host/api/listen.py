"""The sockets a host listens on."""

import errno
import os
import socket
import sys
from pathlib import Path

from heron.errors import AddressInUse, HeronError, NoPermission, SystemFault

LOOPBACK = "127.0.0.1"
_BACKLOG = 128


def listen_unix(path: Path) -> socket.socket:
    """A Unix socket that only its owner can open, in a folder that is private already.

    Replaces what lies at the path: the caller holds the lock of the home, so it is the rest of a dead host.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _explain(error, f"The socket {path}") from error
    return listener


def listen_tcp(port: int, address: str = LOOPBACK) -> socket.socket:
    """A TCP socket, by default of loopback; port 0 takes any free one. Raises AddressInUse if the port is taken."""
    # asyncio turns off Nagle's algorithm only on a socket that names its protocol; with it an answer takes 40 ms more.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would share the port with a stranger
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _explain(error, f"Port {port}") from error
    return listener


def _explain(error: Exception, name: str) -> HeronError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return AddressInUse(f"{name} is taken by another program.", hint="Choose another, or 0 for any free port.")
    if number in (errno.EACCES, errno.EPERM):
        return NoPermission(f"{name} may not be opened by this user.", hint="Choose a port above 1023.")
    return SystemFault(f"{name} cannot be opened: {error}.")
