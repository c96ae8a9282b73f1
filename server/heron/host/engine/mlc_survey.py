"""Whether MLC-LLM is installed, what it can run on here, and how to install it where it is not."""

import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from heron.errors import HeronError, ResourceError
from heron.host.compiler.gpu.cards import newest_cuda
from heron.host.compiler.mlc_probe import Device, probe_devices

_INDEX = "https://mlc.ai/wheels"
_ROCM = Path("/opt/rocm/.info/version")


@dataclass(frozen=True, slots=True)
class MlcOffer:
    """What is installed. `version` is empty where the package is missing; `problem` says why it cannot be used."""

    version: str = ""
    devices: tuple[Device, ...] = ()
    problem: str = ""
    remedy: str = ""

    @property
    def is_usable(self) -> bool:
        return bool(self.version) and not self.problem


def is_installed() -> bool:
    """Whether `mlc_llm` could be imported; told without doing so."""
    return importlib.util.find_spec("mlc_llm") is not None


def survey_mlc(probe: Callable[[], tuple[Device, ...]] = probe_devices) -> MlcOffer:
    """The package and the devices it can use; takes a second or two where it is installed."""
    if not is_installed():
        return MlcOffer(problem="the package mlc_llm is not installed", remedy=f"Install it with: {install_command()}")
    found = installed_version()
    try:
        return MlcOffer(found, probe())
    except HeronError as error:
        return MlcOffer(found, problem=error.message.rstrip("."), remedy=f"Install it again: {install_command()}")


def installed_version() -> str:
    """The version of the distribution that `mlc_llm` came with."""
    for name in packages_distributions().get("mlc_llm", ()):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "of unknown version"


def choose_device(setting: str, offer: MlcOffer) -> Device:
    """The device that `engine.device` names; for `auto` the first of MLC-LLM's own order.

    ResourceError if it is not there.
    """
    kind, _, index = setting.partition(":")
    fitting = [device for device in offer.devices if kind in ("auto", device.kind) and index in ("", str(device.index))]
    if not fitting:
        there = ", ".join(device.describe() for device in offer.devices) or "none"
        raise ResourceError(
            f"engine.device is {setting}, which MLC-LLM {offer.version} does not find here. Found: {there}.",
            hint="Name one of these, or install the package for that device.",
        )
    return fitting[0]


def install_command(system: str = "", cuda: Callable[[], int] = newest_cuda, rocm: Path = _ROCM) -> str:
    """MLC's own command for this platform, from the page Install MLC LLM Python Package of its documentation.

    On macOS the CPU's build has Metal, on Windows Vulkan.
    """
    build = _linux_build(cuda(), rocm) if (system or platform.system()) == "Linux" else "cpu"
    return f"python -m pip install --pre -U -f {_INDEX} mlc-llm-nightly-{build} mlc-ai-nightly-{build}"


def _linux_build(cuda: int, rocm: Path) -> str:
    """The newest build that NVIDIA's driver runs, else that of the ROCm installed; each of them has Vulkan too."""
    if cuda:
        return "cu130" if cuda >= 13 else "cu128"
    try:
        installed = rocm.read_text(encoding="utf-8").strip()
    except OSError:
        return "rocm62" if Path("/dev/kfd").exists() else "cpu"
    return "rocm61" if installed.startswith(("5.", "6.0", "6.1")) else "rocm62"
