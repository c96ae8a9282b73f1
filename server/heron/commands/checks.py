"""What `heron doctor` looks at. Each check gives findings; one that is wrong says how to mend it."""

import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from heron import __version__
from heron.commands.backend_checks import find_backends
from heron.commands.finding import Finding
from heron.commands.sizes import format_size
from heron.discovery import fetch_health, find_host, log_path, read_record
from heron.errors import HeronError, HostUnreachable, InvalidSettings
from heron.settings import Settings, home_folder, load_settings

if TYPE_CHECKING:
    from heron.host.compiler.gpu.cards import Card
    from heron.host.engine.device_choice import Place

_PACKAGES = ("apache-tvm", "tokenizers", "gguf", "pygls", "fastapi", "tree-sitter", "numpy")
_COMPILERS = ("cc", "gcc", "clang")
_ROOM_BYTES = 2 << 30
_MEMORY_BYTES = 2 << 30


def find_everything() -> list[Finding]:
    """All findings, in the order of the report. A check that itself fails is a finding too."""
    settings, findings = _read_settings()
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _versions,
        _machine,
        _storage,
        _models,
        _host,
        _sources,
    )
    for check in checks:
        try:
            findings.extend(check(settings))
        except (HeronError, OSError, ImportError) as error:
            section = check.__name__.strip("_")
            findings.append(Finding(section, "check", "failed", str(error), "Mend that, then run heron doctor again."))
    return findings


def _read_settings() -> tuple[Settings, list[Finding]]:
    path = home_folder() / "config.toml"
    where = str(path) if path.exists() else f"defaults (no {path})"
    try:
        return load_settings(), [Finding("settings", "from", where)]
    except InvalidSettings as error:
        remedy = "Correct or remove that setting; README.md lists them all."
        return Settings(), [Finding("settings", "from", where, str(error), remedy)]


def _versions(_settings: Settings) -> Iterator[Finding]:
    yield Finding("versions", "heron", __version__)
    yield Finding("versions", "python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("versions", "system", f"{platform.platform()} {platform.machine()}")
    for name in _PACKAGES:
        try:
            yield Finding("versions", name, version(name))
        except PackageNotFoundError:
            remedy = "Install Heron again: python -m pip install --force-reinstall ."
            yield Finding("versions", name, "missing", f"The package {name} is not installed.", remedy)


def _machine(settings: Settings) -> Iterator[Finding]:
    import psutil

    from heron.host.compiler.target import choose_target, choose_threads, host_features

    vector = [name for name in ("avx2", "fma", "f16c", "avx512f", "avx512vnni", "avxvnni") if name in host_features()]
    cores = f"{psutil.cpu_count(logical=False)} physical, {psutil.cpu_count()} logical"
    yield Finding("machine", "processor", f"{cores} cores; {', '.join(vector) or 'no vector extension we use'}")
    yield Finding("machine", "instruction set", choose_target(settings.engine).instruction_set)
    yield _threads(choose_threads(settings.engine))
    yield from find_backends(settings)
    yield _device(settings)
    yield _memory(psutil.virtual_memory().available, psutil.virtual_memory().total)
    compiler = next((found for name in _COMPILERS if (found := shutil.which(name))), None)
    yield Finding(
        "machine", "C compiler", compiler or "none (not needed: compiled code is then loaded without linking)"
    )


def _threads(most: int) -> Finding:
    """How many threads steps run on, and how much of their cores others leave now."""
    from heron.host.models.machine import measure_free_cores

    free = measure_free_cores(most)
    value = f"at most {most}; {free:.1f} cores are free now"
    busy = "; threads without a core of their own are left out" if round(free) < most else ""
    return Finding("machine", "engine threads", value + busy)


def find_device(settings: Settings) -> "Place":
    """Where the model would run now, and why; whether it fits a card is only known once it has been fetched."""
    from heron.host.engine.cuda_engine import check_fit
    from heron.host.engine.device_choice import choose_place
    from heron.host.models.choose import choose_model
    from heron.host.models.store import Store

    def fit(card: "Card") -> None:
        path = Store(home_folder()).path_of(choose_model(settings).entry)
        if path.exists():
            check_fit(path, settings.engine, card)

    return choose_place(settings.engine.device, fit)


def _device(settings: Settings) -> Finding:
    asked = settings.engine.device
    if asked.partition(":")[0] in ("vulkan", "rocm") or settings.engine.backend in ("mlc", "remote"):
        return Finding("machine", "device", f"as the engine above has it (engine.device: {asked})")
    try:
        place = find_device(settings)
    except HeronError as error:
        return Finding("machine", "device", asked, error.message, error.hint or "Set engine.device to auto or cpu.")
    return Finding("machine", "device", f"{place.reason.rstrip('.')} (engine.device: {asked})")


def _memory(free_bytes: int, total_bytes: int) -> Finding:
    value = f"{format_size(free_bytes)} free of {format_size(total_bytes)}"
    if free_bytes >= _MEMORY_BYTES:
        return Finding("machine", "memory", value)
    return Finding("machine", "memory", value, "Little memory is free.", "Close programs or use a smaller model.")


def _storage(_settings: Settings) -> Iterator[Finding]:
    from heron.host.models.store import folder_bytes

    home = home_folder()
    source = "HERON_HOME" if os.environ.get("HERON_HOME") else "the default"
    yield Finding("storage", "home", f"{home} ({source}, {format_size(folder_bytes(home))})", *_unwritable(home))
    free_bytes = shutil.disk_usage(_nearest_folder(home)).free
    short = free_bytes < _ROOM_BYTES
    problem = "Little room is left for models and compiled artefacts." if short else ""
    remedy = "Free some, or move Heron's home with HERON_HOME." if short else ""
    yield Finding("storage", "disk", f"{format_size(free_bytes)} free", problem, remedy)


def _unwritable(home: Path) -> tuple[str, str]:
    folder = _nearest_folder(home)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}.", "Mend that, or set HERON_HOME to another folder."
    return "", ""


def _models(settings: Settings) -> Iterator[Finding]:
    from heron.host.models.choose import choose_model
    from heron.host.models.store import Store, folder_bytes

    home = home_folder()
    choice = choose_model(settings)
    yield Finding("models", "chosen", f"{choice.entry.id} ({choice.reason})")
    stored = Store(home).list()
    names = ", ".join(f"{model.id} ({format_size(model.size_bytes)})" for model in stored)
    yield Finding("models", "stored", names or "none yet; the first start fetches one")
    artefacts = sorted(path.name for path in (home / "artefacts").glob("*/") if (path / "manifest.json").exists())
    size = format_size(folder_bytes(home / "artefacts"))
    yield Finding("models", "compiled", f"{len(artefacts)} ({size})" if artefacts else "none yet")


def _host(settings: Settings) -> Iterator[Finding]:
    if settings.host.url:
        yield Finding("host", "server", f"{settings.host.url} (set by host.url; no host of our own is started)")
        return
    home = home_folder()
    address, record = find_host(home), read_record(home)
    if address is None or record is None:
        yield Finding("host", "running", "no; the first editor starts it")
        return
    yield Finding("host", "running", f"pid {record.pid} at {address.socket_path or address.base_url}")
    try:
        health = fetch_health(address)
    except HostUnreachable as error:
        yield Finding(
            "host", "health", "unknown", str(error), f"Stop it with heron host --stop; log: {log_path(home)}."
        )
        return
    failed = health.message if health.state == "failed" else ""
    value = " ".join(filter(None, (health.state, health.model)))
    yield Finding("host", "health", value, failed, _way_back(home) if failed else "")
    if health.notice:
        remedy = "It is undone by itself once there is enough again; heron models recommend tells what suits."
        yield Finding("host", "degraded", "yes", health.notice, remedy)


def _way_back(home: Path) -> str:
    return (
        f"The last lines of {log_path(home)} tell more; heron models recommend tells what suits this machine. "
        "heron host --stop, and the next request starts afresh."
    )


def _sources(settings: Settings) -> Iterator[Finding]:
    yield Finding("sources", "model hub", _reach_hub(settings))
    yield Finding("sources", "package registry", "asked through pip, with pip's own configuration")


def _reach_hub(settings: Settings) -> str:
    from huggingface_hub import constants

    if not settings.model.use_hub:
        return "switched off (model.use_hub)"
    host, _, port = constants.ENDPOINT.partition("://")[2].partition("/")[0].partition(":")
    try:
        socket.create_connection((host, int(port or 443)), settings.model.hub_timeout_s).close()
    except OSError as error:
        return f"not reachable from here directly ({error}); the package registry is then used"
    return "reachable"


def _nearest_folder(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
