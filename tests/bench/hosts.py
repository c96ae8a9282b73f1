"""A real `heron host` with a home of its own, reached through its Unix socket."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.fresh import WITHOUT_MEMORY
from heron.discovery import fetch_health, find_host

CHECKOUT = Path(__file__).parents[2]
_START_S = 600.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The model (a name or a GGUF's path), threads (0 chooses) and further lines of `[engine]`.

    `store` is a home whose models and compiled artefacts are used.
    """

    model: str
    threads: int = 0
    engine: str = ""
    store: Path = CHECKOUT / ".heron"


@dataclass(frozen=True, slots=True)
class RunningHost:
    pid: int
    socket_path: str
    home: Path

    def client(self) -> httpx.AsyncClient:
        """A client without limits of its own."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        transport = httpx.AsyncHTTPTransport(uds=self.socket_path, limits=limits)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=300)


@contextmanager
def running_host(options: HostOptions) -> Iterator[RunningHost]:
    """The host, once its model is ready; its log is shown when something goes wrong."""
    with tempfile.TemporaryDirectory(prefix="heron-bench-") as folder:
        home = Path(folder)
        _furnish(home, options)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HERON_")}
        with (home / "host.log").open("wb") as log:
            command = [sys.executable, "-m", "heron", "host"]
            process = subprocess.Popen(command, stderr=log, env=environment | {"HERON_HOME": folder})
            try:
                yield RunningHost(process.pid, _wait_ready(process, home), home)
            except BaseException:
                sys.stderr.write((home / "host.log").read_text(errors="replace")[-4000:])
                raise
            finally:
                process.terminate()
                process.wait(30)


def _furnish(home: Path, options: HostOptions) -> None:
    for name in ("models", "artefacts"):
        (options.store / name).mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(options.store / name)
    threads = f"threads = {options.threads}\n" if options.threads else ""
    model = f'[model]\nname = "{options.model}"\n'
    (home / "config.toml").write_text(f"{model}{WITHOUT_MEMORY}[engine]\n{threads}{options.engine}")


def _wait_ready(process: "subprocess.Popen[bytes]", home: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        address = find_host(home)
        if address and (health := fetch_health(address)).state == "ready":
            return address.socket_path
        if address and health.state == "failed":
            raise RuntimeError(health.message)
        time.sleep(_POLL_S)
    raise RuntimeError(f"The host was not ready within {_START_S:g} s (status {process.returncode}).")
