"""The two servers a bench compares, as real processes: `heron host` and `llama-server` on the same weights."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.fresh import WITHOUT_MEMORY
from heron.host.models.catalog import CatalogEntry, entry_of
from heron.host.models.fetch import ensure_model
from heron.host.models.store import Store
from heron.settings import ModelSettings

CHECKOUT = Path(__file__).parents[2]
TOKEN = "bench"
_START_S = 600.0


@dataclass(frozen=True, slots=True)
class Model:
    entry: CatalogEntry
    path: Path


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `http` has its address and authorization."""

    name: str
    pid: int
    http: httpx.Client


def fetch_model(name: str) -> Model:
    """The model, fetched if need be into the checkout's `.heron` folder, which git ignores."""
    entry = entry_of(name)
    return Model(entry, ensure_model(entry, Store(CHECKOUT / ".heron"), ModelSettings(), lambda progress: None))


@contextmanager
def temporary_home(model: Model, threads: int, speculation: str = "auto") -> Iterator[Path]:
    """A home of its own for Heron, with the stored models, the number of threads, and drafts `auto` or `off`."""
    with tempfile.TemporaryDirectory(prefix="heron-bench-") as folder:
        home = Path(folder)
        for name in ("models", "artefacts"):
            (CHECKOUT / ".heron" / name).mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(CHECKOUT / ".heron" / name)
        engine = f'[engine]\nthreads = {threads}\nspeculation = "{speculation}"\n'
        (home / "config.toml").write_text(f'[model]\nname = "{model.entry.id}"\n{WITHOUT_MEMORY}{engine}')
        yield home


def heron_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HERON_")}
    return kept | {"HERON_HOME": str(home), "HERON_TOKEN": TOKEN}


@contextmanager
def start_heron(home: Path) -> Iterator[Server]:
    """`heron host` on loopback TCP, once its model is ready."""
    port = _free_port()
    command = [sys.executable, "-m", "heron", "host", "--port", str(port)]
    with _run(command, home / "host.log", heron_environment(home)) as process:
        http = _client(port, {"Authorization": f"Bearer {TOKEN}"})
        _wait(process, lambda: http.get("/healthz").json()["state"] == "ready")
        yield Server("heron", process.pid, http)


@contextmanager
def start_llama_server(executable: Path, model: Model, threads: int, *options: str) -> Iterator[Server]:
    """`llama-server` with one slot on the same file and as many threads."""
    port = _free_port()
    command = [str(executable), "-m", str(model.path), "-t", str(threads), "-tb", str(threads)]
    command += ["-c", "4096", "-np", "1", "--port", str(port), *options]
    with tempfile.TemporaryDirectory() as folder, _run(command, Path(folder) / "log", os.environ) as process:
        http = _client(port, {})
        _wait(process, lambda: http.get("/health").status_code == 200)
        yield Server("llama-server", process.pid, http)


@contextmanager
def _run(command: list[str], log: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        try:
            yield process
        except Exception:
            sys.stderr.write(log.read_text(errors="replace")[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(30)


def _client(port: int, headers: Mapping[str, str]) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=300, trust_env=False)


def _wait(process: "subprocess.Popen[bytes]", is_ready: object) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with code {process.returncode}")
        try:
            if callable(is_ready) and is_ready():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{process.args} was not ready within {_START_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
