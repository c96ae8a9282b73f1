"""Load another server as the engine, with a model of this machine behind it if there is one."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from heron.errors import HeronError, HostUnreachable
from heron.host.engine.engine import Engine
from heron.host.engine.fallback_engine import FallbackEngine, Sides
from heron.host.engine.load import ReportHealth, load_engine
from heron.host.engine.remote_engine import connect_remote
from heron.host.models.choose import choose_model
from heron.host.models.store import list_installed
from heron.settings import Settings
from heron.wire import Health

_WHY = "The server of engine.remote_url does not answer."


def load_remote(settings: Settings, report: ReportHealth, reason: str) -> Engine:
    """The engine of the server that the settings name. HostUnreachable if it does not answer and nothing else can."""
    fallback = choose_fallback(settings) if settings.engine.remote_fallback == "auto" else None
    if fallback is None:
        return connect_remote(settings, reason)
    connect = partial(connect_remote, settings, reason)
    load = partial(load_engine, fallback, _ignore, _WHY)
    try:
        remote = connect()
    except HostUnreachable:
        local = load_engine(fallback, report, _WHY)
        tell = _teller(report, Health("ready", local.model.id, local.model.place))
        return FallbackEngine(Sides(connect, load, tell), None, local)
    tell = _teller(report, Health("ready", remote.model.id, remote.model.place))
    return FallbackEngine(Sides(connect, load, tell), remote)


def choose_fallback(settings: Settings) -> Settings | None:
    """The settings for a model that is stored here: the one named, else what suits this machine, else any."""
    engine = replace(settings.engine, backend="auto", remote_url="")
    here = list_installed()
    for name in (settings.model.name, "auto", *here):
        wanted = replace(settings, engine=engine, model=replace(settings.model, name=name))
        try:
            if choose_model(wanted).entry.id in here:
                return wanted
        except HeronError:  # no model of ours goes by this name
            continue
    return None


def _teller(report: ReportHealth, health: Health) -> Callable[[str], None]:
    """Reports a state with a notice for the user."""
    return lambda notice: report(replace(health, notice=notice))


def _ignore(health: Health) -> None:
    """How the local model's loading goes; the notice tells that it is used."""
