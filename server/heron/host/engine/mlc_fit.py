"""Does a compiled library fit a model, and both a device? Asked before either is loaded, for that may hang."""

from pathlib import Path
from typing import Any

from heron.errors import CorruptModel, InvalidSettings, OutOfMemory, SystemFault
from heron.host.compiler.gpu.cards import list_cards
from heron.host.compiler.mlc_probe import Device
from heron.host.engine.budget import wanted_cache_tokens
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_survey import MlcOffer
from heron.host.models.machine import free_memory_bytes
from heron.host.models.mlc_format import read_mlc_config, read_tensor_cache
from heron.host.models.mlc_library import estimate, find_mismatches

MOST_PLACES = 32
"""Sequences at once where a library does not tell how many it takes."""


def read_metadata(library: Path, job: MlcJob) -> dict[str, Any]:
    """What a library says of itself. CorruptModel, with the versions, for one that the installed TVM cannot load."""
    try:
        return job.read_library(library)
    except SystemFault as error:
        raise CorruptModel(
            f"The library {library} cannot be loaded. {error.message}",
            hint="Delete it, or compile it anew with a package of this TVM's version.",
        ) from error


def check_library(metadata: dict[str, Any], library: Path, job: MlcJob, device: Device) -> int:
    """Most sequences that a library runs at once, if it was made for this model, and both fit the device.

    Raises CorruptModel, OutOfMemory, and InvalidSettings for one that wants more cards than there are.
    """
    cards = count_cards(metadata)
    check_shards(cards, device, job.offer, f"The library {library}")
    if cards == 1:  # else it is of parts of the weights
        check_match(metadata, library, job)
    config, shards = read_mlc_config(job.folder), read_tensor_cache(job.folder)
    need = estimate(metadata, config, shards, wanted_cache_tokens(job.settings.engine))
    free = free_bytes(device)
    if need.total // cards > free > 0:
        raise OutOfMemory(
            f"The model takes {need.describe()} on {device.describe()}, and {free / 1e6:,.0f} MB are free.",
            hint="Lower engine.cache_tokens, or choose a smaller model.",
        )
    return count_places(metadata)


def check_match(metadata: dict[str, Any], library: Path, job: MlcJob) -> None:
    """Raise CorruptModel, with every way in which a library was not made for a model."""
    mismatches = list(find_mismatches(metadata, read_mlc_config(job.folder), read_tensor_cache(job.folder)))
    if mismatches:
        raise CorruptModel(f"The library {library} does not fit the model in {job.folder}: {'; '.join(mismatches)}.")


def count_places(metadata: dict[str, Any]) -> int:
    """Most sequences that a library runs at once."""
    return max(1, int(metadata.get("max_batch_size") or MOST_PLACES))


def count_cards(metadata: dict[str, Any]) -> int:
    """Cards that a library spreads a model over: what it was compiled for, whatever the settings say."""
    return max(1, int(metadata.get("tensor_parallel_shards") or 1) * int(metadata.get("pipeline_parallel_stages") or 1))


def check_shards(shards: int, device: Device, offer: MlcOffer, who: str) -> None:
    """Raise InvalidSettings if there are fewer devices of a kind than a model is spread over."""
    cards = sum(other.kind == device.kind for other in offer.devices)
    if shards > cards:
        raise InvalidSettings(f"{who}: {shards} is more than the {cards} devices of the kind {device.kind!r}.")


def free_bytes(device: Device) -> int:
    """Free memory of a device; all of it where only that is known, 0 where nothing is."""
    if device.kind == "cpu":
        return free_memory_bytes()
    if device.kind == "cuda":
        return next((card.free_bytes for card in list_cards().cards if card.index == device.index), device.total_bytes)
    return device.total_bytes
