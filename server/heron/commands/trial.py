"""Another model for one command, beside the host that the editors use."""

import hashlib
import os
from pathlib import Path

from heron.discovery import fetch_health, find_host
from heron.errors import HostUnreachable
from heron.settings import home_folder

_SHARED = ("models", "artefacts", "config.toml")


def use_model(model: str) -> None:
    """Let this process and its children use `model`, or the settings' model if empty. Raises UnknownModel.

    A home has one host with one model. If that host runs another one, or none runs (the next editor would then meet
    ours), ours gets a home of its own below it that shares the stored models; its host leaves when idle.
    """
    if not model:
        return
    home = home_folder()
    if _running_model(home) != model:
        from heron.host.models.catalog import entry_of

        entry_of(model)
        os.environ["HERON_HOME"] = str(_trial_home(home, model))
    os.environ["HERON_MODEL"] = model


def _running_model(home: Path) -> str:
    address = find_host(home)
    try:
        return fetch_health(address).model if address else ""
    except HostUnreachable:
        return ""


def _trial_home(home: Path, model: str) -> Path:
    trial = home / "trial" / hashlib.sha256(model.encode()).hexdigest()[:12]
    trial.mkdir(parents=True, exist_ok=True)
    for name in _SHARED:
        if name != "config.toml":
            (home / name).mkdir(exist_ok=True)
        if not (trial / name).is_symlink():
            (trial / name).symlink_to(home / name)
    return trial
