"""Sources of published packages, unpacked into folders: wheels and sdists by pip, npm's archives, Debian's packages."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LIMIT_S = 60.0
Registry = Literal["pip", "sdist", "npm", "deb"]


@dataclass(frozen=True, slots=True)
class Package:
    """A release, and the folder of its sources inside the archive."""

    registry: Registry
    name: str
    version: str
    folder: str = ""


def unpack(package: Package, below: Path) -> Path:
    """The folder with the package's sources; one that is there already is used again."""
    target = below / f"{package.registry}-{package.name.replace('/', '-').lstrip('@')}-{package.version}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=below) as folder:
            unpackers()[package.registry](package, Path(folder))
            Path(folder, "unpacked").rename(target)
    return target / package.folder


def unpackers() -> Mapping[Registry, Callable[[Package, Path], None]]:
    """How each registry's archive is brought into `unpacked` of a folder."""
    return {"pip": _unpack_wheel, "sdist": _unpack_sdist, "npm": _unpack_npm, "deb": _unpack_deb}


def _unpack_wheel(package: Package, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    _run([*command, "--dest", str(folder), f"{package.name}=={package.version}"], folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "unpacked")


def _unpack_sdist(package: Package, folder: Path) -> None:
    """What the build backend needs comes as wheels: pip asks it for the metadata."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package.name]
    _run([*command, "--dest", str(folder), f"{package.name}=={package.version}"], folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")


def _unpack_npm(package: Package, folder: Path) -> None:
    _run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")


def _unpack_deb(package: Package, folder: Path) -> None:
    _run(["apt-get", "download", "--quiet", f"{package.name}={package.version}"], folder)
    _run(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder / "unpacked")], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)
