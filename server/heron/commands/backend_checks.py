"""What `heron doctor` says of engines: which one would run the model, why, and what MLC-LLM offers here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heron.commands.finding import Finding
from heron.errors import HeronError, ModelUnavailable, UnknownModel
from heron.settings import Settings, home_folder

if TYPE_CHECKING:
    from heron.host.engine.backend import BackendChoice
    from heron.host.engine.mlc_survey import MlcOffer

_NAMES = {"tvm": "Heron's own engine", "mlc": "MLC-LLM", "remote": "another server"}


def find_backends(settings: Settings) -> Iterator[Finding]:
    """The engine and the reason for it, and MLC-LLM's package with its devices or how to install it."""
    from heron.host.engine.mlc_survey import survey_mlc

    offer = survey_mlc()
    yield _package(offer)
    asked = settings.engine.backend
    try:
        choice = choose_for(settings, offer)
    except (UnknownModel, ModelUnavailable):  # told among the models
        return
    except HeronError as error:
        remedy = error.hint or "Set engine.backend to auto."
        yield Finding("machine", "engine", asked, error.message, remedy)
        return
    name = (
        f"{_NAMES[choice.backend]}, by the library {choice.library.name}" if choice.library else _NAMES[choice.backend]
    )
    yield Finding("machine", "engine", f"{name}: {choice.reason} (engine.backend: {asked})")


def choose_for(settings: Settings, offer: "MlcOffer") -> "BackendChoice":
    """The engine for the chosen model as far as that can be told: a folder not yet fetched is not looked into."""
    from heron.host.engine.backend import BackendChoice, choose_backend, choose_remote
    from heron.host.models.choose import choose_model
    from heron.host.models.store import Store

    if remote := choose_remote(settings.engine):
        return remote
    entry = choose_model(settings).entry
    path = Store(home_folder()).path_of(entry)
    if entry.is_mlc and not path.exists():
        return BackendChoice("mlc" if settings.engine.backend == "mlc" else "tvm", "The model is not fetched yet.")
    return choose_backend(settings, path, lambda: offer)


def _package(offer: "MlcOffer") -> Finding:
    if not offer.version:
        return Finding("machine", "MLC-LLM", f"not installed (not needed). {offer.remedy}")
    if offer.problem:
        return Finding("machine", "MLC-LLM", offer.version, f"It cannot be used: {offer.problem}.", offer.remedy)
    devices = ", ".join(device.describe() for device in offer.devices) or "no device"
    return Finding("machine", "MLC-LLM", f"{offer.version}: {devices}")
