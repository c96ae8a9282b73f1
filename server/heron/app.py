"""The composition root: the only file that knows both wings. One function a process."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from heron.discovery import HostAddress, ensure_host, find_host, read_record
from heron.settings import Settings, home_folder, load_settings

if TYPE_CHECKING:
    from heron.host.engine.scripted import Script

SCRIPTED_ANSWER = "42"
_LEAVE_WAIT_S = 30


def run_lsp() -> NoReturn:
    """Serve one editor on stdin and stdout, then end the process."""
    from heron.editor.lsp.server import serve_stdio

    serve_stdio(connect)


async def connect(settings: Settings) -> HostAddress:
    """The server that `settings` name, or this user's host, started if none runs. May take seconds."""
    if settings.host.url:
        return HostAddress(base_url=settings.host.url, token=settings.host.token)
    return await asyncio.to_thread(ensure_host, home_folder(), model=_chosen_model(settings))


def run_host(port: int | None) -> int:
    """Serve the model until idle: on this user's socket, or on loopback TCP at `port` (0 takes a free one)."""
    from heron.host.api.serve import serve_host
    from heron.host.engine.pipe import Init
    from heron.host.fleet import Fleet, MakeRoom
    from heron.host.models.store import list_installed
    from heron.host.pool import Pool
    from heron.host.workers import WorkerProcess

    settings = load_settings()

    def make_pool(model: str, make_room: MakeRoom) -> Pool:
        own = replace(settings, model=replace(settings.model, name=model)) if model else settings
        init = Init(own, script=_script())
        return Pool(own, lambda: WorkerProcess(init), make_room=make_room)

    return serve_host(Fleet(make_pool, list_installed), settings, port)


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


def _chosen_model(settings: Settings) -> str:
    """The model an editor's own settings name; empty where they leave it to the home's."""
    return "" if settings.model.name == Settings().model.name else settings.model.name


def _script() -> "Script | None":
    """Fixed answers instead of a model, for tests of real processes: HERON_ENGINE=scripted."""
    if os.environ.get("HERON_ENGINE") != "scripted":
        return None
    from heron.host.engine.scripted import Reply, Script

    return Script(otherwise=Reply(SCRIPTED_ANSWER))
