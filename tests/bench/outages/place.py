"""Where the fault run happens: a home on a small disk of its own, and the processes that live in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from heron.discovery import HostAddress, ensure_host, read_record

DISK_MB = 24
_PLAIN = "[host]\nresponse_cache_mb = 0\n[chat]\nmax_tokens = 48\n"
"""So that each answer is the model's, and soon over."""


@dataclass(frozen=True, slots=True)
class Place:
    """A home. `is_small` says whether its disk can be filled, which takes a mount of our own."""

    home: Path
    workspace: Path
    model: str
    is_small: bool

    def connect(self) -> HostAddress:
        """The host, found or started as editors do."""
        return ensure_host(self.home, model=self.model)

    @property
    def ballast(self) -> Path:
        return self.home / "ballast"

    def host(self) -> psutil.Process | None:
        record = read_record(self.home)
        with suppress(psutil.Error):
            return psutil.Process(record.pid) if record else None
        return None

    def worker(self) -> psutil.Process | None:
        """The engine worker of the host."""
        host = self.host()
        with suppress(psutil.Error):
            for child in host.children() if host else ():
                if "heron.host.engine.worker" in child.cmdline():
                    return child
        return None


@contextmanager
def open_place(store: Path, model: str, engine: str) -> Iterator[Place]:
    """A home with a store's models and artefacts; in the end its host is stopped and everything deleted."""
    with tempfile.TemporaryDirectory(prefix="heron-faults-") as name:
        home = Path(name) / "home"
        home.mkdir()
        is_small = _mount(home)
        workspace = Path(name) / "workspace"
        workspace.mkdir()
        for folder in ("models", "artefacts"):
            (store / folder).mkdir(parents=True, exist_ok=True)
            (home / folder).symlink_to(store / folder)
        (home / "config.toml").write_text(f'[model]\nname = "{model}"\n[engine]\n{engine}{_PLAIN}')
        place = Place(home, workspace, model, is_small)
        kept = {key: value for key, value in os.environ.items() if key.startswith("HERON_")}
        os.environ["HERON_HOME"] = str(home)
        try:
            yield place
        finally:
            os.environ.pop("HERON_HOME")
            os.environ.update(kept)
            _stop(place)
            if is_small:
                subprocess.run(["umount", "-l", str(home)], check=False)


def _mount(folder: Path) -> bool:
    """Whether a small disk could be mounted there: root may."""
    if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("mount"):
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _stop(place: Place) -> None:
    place.ballast.unlink(missing_ok=True)
    host = place.host()
    if host is None:
        return
    with suppress(psutil.Error):
        host.resume()
        host.terminate()
        host.wait(20)
    with suppress(psutil.Error):
        host.kill()
