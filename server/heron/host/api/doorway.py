"""Where a host listens and what it asks there: this user's private socket, loopback, or the network by TLS."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from heron import discovery
from heron.discovery import HostAddress
from heron.errors import InvalidSettings
from heron.host.api.auth import LOOPBACK_NAMES, Auth, own_token
from heron.host.api.listen import LOOPBACK, listen_tcp, listen_unix
from heron.host.tokens import token_store
from heron.settings import HostSettings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a host listens, what it asks of clients, and how those of this machine reach it."""

    listener: socket.socket
    auth: Auth
    address: HostAddress
    certificate: tuple[str, str] | None = None
    """Files of the certificate chain and its key, for TLS."""


def open_own_door(home: Path, stack: ExitStack) -> Endpoint:
    """Listen on the Unix socket of the home; without Unix sockets on loopback, for a token only the record tells."""
    if not hasattr(socket, "AF_UNIX"):
        return open_loopback(own_token(), stack)
    path = discovery.socket_path(home)
    listener = stack.enter_context(listen_unix(path))
    stack.callback(path.unlink, missing_ok=True)
    return Endpoint(listener, Auth(), HostAddress("http://localhost", str(path)))


def open_loopback(token: str, stack: ExitStack) -> Endpoint:
    """Listen on a free port of loopback, for who knows the token."""
    listener = stack.enter_context(listen_tcp(0))
    address = HostAddress(f"http://{LOOPBACK}:{listener.getsockname()[1]}", token=token)
    return Endpoint(listener, Auth(token, LOOPBACK_NAMES), address)


def open_port(home: Path, port: int, settings: HostSettings, stack: ExitStack) -> Endpoint:
    """Listen on a port, 0 for any, for this user's token and the stored ones; beyond loopback by TLS only."""
    certificate = find_certificate(settings)
    listener = stack.enter_context(listen_tcp(port, settings.listen))
    token = own_token()
    names = LOOPBACK_NAMES | {name.lower() for name in settings.allowed_hosts}
    auth = Auth(token, names, frozenset(settings.allowed_origins), token_store(home))
    scheme = "https" if certificate else "http"
    url = f"{scheme}://{settings.listen}:{listener.getsockname()[1]}"
    return Endpoint(listener, auth, HostAddress(url, token=token), certificate)


def find_certificate(settings: HostSettings) -> tuple[str, str] | None:
    """The certificate's files. Raises InvalidSettings where one is missing, or TLS is and would be needed."""
    files = {"host.tls_certificate": settings.tls_certificate, "host.tls_key": settings.tls_key}
    if not any(files.values()):
        if not is_loopback(settings.listen):
            raise InvalidSettings(
                f"Setting host.listen: {settings.listen!r} is not a loopback address, and there is no TLS.",
                hint="Set host.tls_certificate and host.tls_key, or listen on 127.0.0.1.",
            )
        return None
    for key, path in files.items():
        if not path or not Path(path).is_file():
            raise InvalidSettings(f"Setting {key}: {path!r} is not a file.", hint="TLS needs certificate and key.")
    return settings.tls_certificate, settings.tls_key


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        raise InvalidSettings(f"Setting host.listen: {address!r} is not an IP address.") from None
