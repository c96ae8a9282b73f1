"""The composition root: the only file that knows both wings. One function a process."""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from heron.discovery import HostAddress, ensure_host, find_host, read_record
from heron.errors import Unauthorized
from heron.logs import choose_log_format
from heron.settings import Settings, home_folder, load_settings

if TYPE_CHECKING:
    from heron.host.engine.scripted import Script

SCRIPTED_ANSWER = "42"
_LEAVE_WAIT_S = 30


def run_lsp() -> NoReturn:
    """Serve one editor on stdin and stdout, then end the process."""
    from heron.editor.lsp.server import serve_stdio

    serve_stdio(connect)


def run_lsp_tcp(address: str, port: int) -> int:
    """Serve editors on a TCP port: on loopback this user's, elsewhere by TLS those who bring a token for everything."""
    from heron.editor.lsp.tcp import TcpDoor, serve_tcp
    from heron.host.api.auth import Auth, own_token
    from heron.host.api.doorway import find_certificate, is_loopback
    from heron.host.tokens import token_store

    settings = load_settings().host
    if is_loopback(address):
        return serve_tcp(connect, TcpDoor(address, port), partial(_announce_lsp, address))
    auth = Auth(own_token(), tokens=token_store(home_folder()))

    def admits(token: str) -> bool:
        try:
            return auth.identify({"authorization": f"Bearer {token}"}).allows("/lsp")
        except Unauthorized:
            return False

    certificate = find_certificate(replace(settings, listen=address))
    return serve_tcp(connect, TcpDoor(address, port, admits, certificate), partial(_announce_lsp, address))


async def connect(settings: Settings) -> HostAddress:
    """The server that `settings` name, or this user's host, started if none runs. May take seconds."""
    if settings.host.url:
        return HostAddress(base_url=settings.host.url, token=settings.host.token)
    return await asyncio.to_thread(ensure_host, home_folder(), model=_chosen_model(settings))


def run_host(port: int | None) -> int:
    """Serve the model until idle: on this user's socket, or on loopback TCP at `port` (0 takes a free one)."""
    from heron.host.api.serve import serve_host
    from heron.host.fleet import open_fleet

    settings = load_settings()
    choose_log_format(settings.host.log_format, "host")
    return serve_host(open_fleet(settings, _script()), settings, port)


def stop_host() -> int:
    """Ask this user's host to leave and wait until it has; 0 also if none runs."""
    import psutil

    home = home_folder()
    if find_host(home) and (record := read_record(home)):
        with suppress(psutil.NoSuchProcess):
            host = psutil.Process(record.pid)
            host.terminate()
            host.wait(_LEAVE_WAIT_S)
    return 0


def _announce_lsp(address: str, port: int) -> None:
    sys.stdout.write(f"Heron's language server: {address}:{port}\n")
    sys.stdout.flush()


def _chosen_model(settings: Settings) -> str:
    """The model an editor's own settings name; empty where they leave it to the home's."""
    return "" if settings.model.name == Settings().model.name else settings.model.name


def _script() -> "Script | None":
    """Fixed answers instead of a model, for tests of real processes: HERON_ENGINE=scripted."""
    if os.environ.get("HERON_ENGINE") != "scripted":
        return None
    from heron.host.engine.scripted import Reply, Script

    return Script(otherwise=Reply(SCRIPTED_ANSWER))
