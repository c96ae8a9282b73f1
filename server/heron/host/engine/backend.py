"""Which engine runs a model, and why: our own on TVM, MLC-LLM's package, or another server."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from heron.errors import HeronError, InvalidSettings, ResourceError, UnsupportedModel
from heron.host.engine.mlc_compile import find_library
from heron.host.engine.mlc_survey import MlcOffer
from heron.host.models.open import open_model
from heron.settings import EngineSettings, Settings

Backend = Literal["tvm", "mlc", "remote"]
_ONLY_MLC = ("vulkan", "rocm")
"""Kinds of device that our own engine does not run on."""
_BETTER_BY_MLC = ("metal", *_ONLY_MLC)
"""And one where it has not been measured yet."""


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """`reason` is a sentence for the user. With a `library`, compiled by MLC-LLM, our own engine runs that as it is."""

    backend: Backend
    reason: str
    library: Path | None = None


def choose_remote(settings: EngineSettings) -> BackendChoice | None:
    """The choice of a remote server, which needs no model here; None where the settings do not want one."""
    if settings.backend == "remote" and not settings.remote_url:
        raise InvalidSettings("Setting engine.backend is remote, and engine.remote_url names no server.")
    if settings.backend == "remote":
        return BackendChoice("remote", "engine.backend says so.")
    if settings.backend == "auto" and settings.remote_url:
        return BackendChoice("remote", "engine.remote_url names a server.")
    return None


def choose_backend(settings: Settings, model: Path, survey: Callable[[], MlcOffer]) -> BackendChoice:
    """The engine for a model that is here: a GGUF file, or a folder of MLC-LLM's.

    Raises ResourceError or InvalidSettings if the settings name what cannot be, with what to install.
    """
    choice = _choose(settings, model, survey)
    return replace(choice, reason=choice.reason + _unheeded(settings)) if choice.backend == "tvm" else choice


def _choose(settings: Settings, model: Path, survey: Callable[[], MlcOffer]) -> BackendChoice:
    engine = settings.engine
    kind = engine.device.partition(":")[0]
    if not model.is_dir():
        return _choose_for_gguf(engine, kind)
    if engine.backend == "mlc":
        _require(survey(), "engine.backend is mlc")
        return BackendChoice("mlc", "engine.backend says so.")
    if settings.mlc.library:
        return _choose_for_library(settings, model, survey)
    if engine.backend == "tvm":
        return _choose_ours(settings, model, kind)
    if kind in _ONLY_MLC:
        _require(survey(), f"engine.device is {engine.device}, which takes MLC-LLM")
        return BackendChoice("mlc", f"engine.device is {engine.device}, where only MLC-LLM runs.")
    return _choose_freely(settings, model, survey)


def _choose_for_library(settings: Settings, model: Path, survey: Callable[[], MlcOffer]) -> BackendChoice:
    """MLC-LLM runs the library that the settings name, our own engine where that is not there or not wanted."""
    if settings.engine.backend == "auto" and survey().is_usable:
        return BackendChoice("mlc", "mlc.library names a compiled library.")
    return BackendChoice("tvm", "mlc.library names it.", find_library(model, settings.mlc))


def _choose_ours(settings: Settings, model: Path, kind: str) -> BackendChoice:
    """Our own compiler, or where it does not run the model the library beside the weights."""
    try:
        open_model(model)
    except UnsupportedModel as error:
        if library := find_library(model, settings.mlc):
            return BackendChoice("tvm", _as_it_is(error), library)
    _refuse_device(kind)
    return BackendChoice("tvm", "engine.backend says so.")


def _choose_for_gguf(settings: EngineSettings, kind: str) -> BackendChoice:
    remedy = "Fetch one with: heron models pull mlc:REPOSITORY, and name it as model.name."
    if settings.backend == "mlc":
        raise InvalidSettings("engine.backend is mlc, which runs models of MLC-LLM's, not GGUF files.", hint=remedy)
    if kind in _ONLY_MLC:
        raise ResourceError(f"engine.device is {kind}, where only MLC-LLM runs models, and only its own.", hint=remedy)
    return BackendChoice("tvm", "The model is a GGUF file.")


def _choose_freely(settings: Settings, model: Path, survey: Callable[[], MlcOffer]) -> BackendChoice:
    """Ours, unless it does not run the model, or MLC-LLM has a device for it that ours cannot use."""
    kind = settings.engine.device.partition(":")[0]
    try:
        open_model(model)
    except HeronError as error:
        return _choose_for_unknown(settings, model, survey(), error)
    offer = survey() if kind in ("auto", "metal") else MlcOffer()
    better = next((device for device in offer.devices if device.kind in _BETTER_BY_MLC), None)
    has_ours = any(device.kind == "cuda" for device in offer.devices)
    if offer.is_usable and better is not None and not has_ours:
        return BackendChoice("mlc", f"MLC-LLM can use {better.describe()}{_own_engine(better.kind)}.")
    return BackendChoice("tvm", "Heron's own engine runs this model.")


def _choose_for_unknown(settings: Settings, model: Path, offer: MlcOffer, error: HeronError) -> BackendChoice:
    """MLC-LLM for what our own compiler does not run, where it is missing the library beside the weights."""
    refusal = error.message.rstrip(".")
    library = find_library(model, settings.mlc) if isinstance(error, UnsupportedModel) else None
    if library is not None and not offer.is_usable:
        return BackendChoice("tvm", _as_it_is(error), library)
    _require(offer, f"Heron's own engine does not run this model ({refusal}), and of the other")
    return BackendChoice("mlc", f"Heron's own engine does not run it: {refusal}.")


def _unheeded(settings: Settings) -> str:
    """What is set for MLC-LLM alone, said where it does not run."""
    wanted = {
        "mlc.tensor_parallel_shards": settings.mlc.tensor_parallel_shards > 1,
        "mlc.draft_model": settings.mlc.draft_model,
    }
    names = " and ".join(name for name, is_set in wanted.items() if is_set)
    return f" Only MLC-LLM heeds {names}." if names else ""


def _as_it_is(error: HeronError) -> str:
    return (
        f"Heron's own compiler does not run the model ({error.message.rstrip('.')}), and a compiled library is there."
    )


def _own_engine(kind: str) -> str:
    return ", where Heron's own engine has not been measured" if kind == "metal" else ", Heron's own engine cannot"


def _require(offer: MlcOffer, why: str) -> None:
    if not offer.is_usable:
        raise ResourceError(f"{why}, but {offer.problem}.", hint=offer.remedy)


def _refuse_device(kind: str) -> None:
    if kind in _ONLY_MLC:
        raise ResourceError(
            f"engine.device is {kind}, where Heron's own engine does not run.",
            hint="Set engine.backend to mlc or auto.",
        )
