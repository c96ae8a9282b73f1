"""A library that MLC-LLM compiled, run by our own scheduler on TVM alone: no package of MLC-LLM's is needed."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from heron.errors import InvalidSettings, ResourceError
from heron.host.compiler.build_once import name_folder
from heron.host.compiler.mlc_probe import Device, probe_devices
from heron.host.compiler.target import choose_threads
from heron.host.engine.budget import MemoryNeed, MemoryPlan, plan_memory, wanted_cache_tokens
from heron.host.engine.cache_numbers import refuse_small_cache
from heron.host.engine.card_lost import telling_of_card
from heron.host.engine.draft import LookupDrafter
from heron.host.engine.load import describe_model
from heron.host.engine.local_engine import EnginePolicy, LocalEngine
from heron.host.engine.mlc_fit import check_match, count_cards, count_places, free_bytes, read_metadata
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_machine import PAGE_TOKENS, MlcMachine, MlcSizes
from heron.host.engine.mlc_runner import MlcRunner
from heron.host.engine.mlc_survey import MlcOffer, choose_device
from heron.host.engine.mlc_tokenizer import read_tokenizer
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.models.mlc_check import check_folder
from heron.host.models.mlc_format import read_mlc_config, read_tensor_cache
from heron.host.models.mlc_library import estimate
from heron.settings import EngineSettings
from heron.wire import ModelInfo

_MOST_TOKENS = 512
"""of one run, whatever the library would take"""
_SPARE_PAGES = 32
"""for what sequences begin and do not fill"""


def load_direct(job: MlcJob, library: Path, announce: Callable[[str], None]) -> LocalEngine:
    """The engine of a library and a folder. `announce` is told what takes its time.

    Raises CorruptModel, with the versions, for a library that this TVM cannot load or that was made for another model;
    ResourceError if its device is not there, OutOfMemory, InvalidSettings.
    """
    config = check_folder(job.folder)
    announce(f"Looking at the library {library.name}")
    metadata = read_metadata(library, job)
    _check_form(metadata, library)
    check_match(metadata, library, job)
    device = _choose_device(metadata, library, job)
    plan, engine = _plan(metadata, job, device), job.settings.engine
    if device.kind == "cpu":
        os.environ |= {"TVM_NUM_THREADS": str(choose_threads(engine)), "TVM_BIND_THREADS": "0"}  # for TVM's pool
    tokenizer = read_tokenizer(job.folder)
    sizes = _choose_sizes(metadata, plan)
    announce(f"Loading {job.model_id} on {device.describe()}, by the library {library.name}")
    with telling_of_card(device.kind != "cpu"):
        machine = MlcMachine(library, job.folder, device, sizes)
    runner = MlcRunner(machine, config.vocab_size, plan.cache_tokens // PAGE_TOKENS)
    model = describe_model(job.model_id, plan.window, tokenizer)
    local = LocalEngine(runner, tokenizer, _place(model, device, library, job, plan), _policy(device, engine))
    local.warm_up()
    return local


def _check_form(metadata: dict[str, Any], library: Path) -> None:
    """Refuse what only MLC-LLM's own engine knows how to run."""
    kind = metadata.get("kv_state_kind", "kv_cache")
    if kind != "kv_cache":
        problem = f"keeps its state as {kind!r}, not as a KV cache"
    elif count_cards(metadata) > 1:
        problem = f"spreads the model over {count_cards(metadata)} devices"
    else:
        return
    raise InvalidSettings(
        f"The library {library} {problem}, which Heron's own engine does not run.",
        hint="With the mlc_llm package it can be run: engine.backend = mlc.",
    )


def _choose_device(metadata: dict[str, Any], library: Path, job: MlcJob) -> Device:
    """The device of the kind that the library has code for, with the number that the settings say."""
    kind = str(metadata["device_kind"])
    wanted, _, index = job.settings.engine.device.partition(":")
    if wanted not in ("auto", kind):
        raise ResourceError(
            f"engine.device is {job.settings.engine.device}, and the library {library} was compiled for {kind}.",
            hint=f"Set engine.device to auto or {kind}, or compile the model for {wanted}.",
        )
    version = job.offer.version or "that is installed"
    offer = MlcOffer(version, job.offer.devices or probe_devices())
    return choose_device(f"{kind}:{index}" if index else kind, offer)


def _plan(metadata: dict[str, Any], job: MlcJob, device: Device) -> MemoryPlan:
    """What of the device's memory the KV cache gets; where nobody tells what is free, what the settings ask for."""
    engine, config = job.settings.engine, read_mlc_config(job.folder)
    refuse_small_cache(engine, f"An MLC-compiled library runs this model: {job.reason}")
    shards, free = read_tensor_cache(job.folder), free_bytes(device)
    need = estimate(metadata, config, shards, PAGE_TOKENS)
    window = min(config.longest or engine.context_window, engine.context_window)
    if not free:
        return MemoryPlan(max(wanted_cache_tokens(engine), window), window)
    return plan_memory(MemoryNeed(need.weights + need.work, need.cache, PAGE_TOKENS, window), engine, free)


def _choose_sizes(metadata: dict[str, Any], plan: MemoryPlan) -> MlcSizes:
    most = min(_MOST_TOKENS, int(metadata.get("prefill_chunk_size") or _MOST_TOKENS))
    pages = plan.cache_tokens // PAGE_TOKENS + _SPARE_PAGES
    return MlcSizes(count_places(metadata), most, pages * PAGE_TOKENS)


def _policy(device: Device, engine: EngineSettings) -> EnginePolicy:
    """On the CPU one token at a time: a library's kernels for many take longer there than as many runs for one."""
    if device.kind == "cpu":
        return EnginePolicy(
            SchedulerLimits(1, max_step_tokens=1, yielding_tokens=1, background_tokens=1), settings=engine
        )
    limits = SchedulerLimits()
    limits = replace(limits, max_running=engine.max_running) if engine.max_running else limits
    drafter = LookupDrafter() if engine.speculation == "auto" else None
    return EnginePolicy(limits, drafter=drafter, settings=engine)


def _place(model: ModelInfo, device: Device, library: Path, job: MlcJob, plan: MemoryPlan) -> ModelInfo:
    """The model with where and why it runs, for people, and what tells its answers from another's."""
    digest = hashlib.sha256(library.read_bytes()).hexdigest()
    place = f"The library {library.name} runs on {device.describe()} by Heron's own engine: {job.reason}"
    return replace(
        model,
        place=place,
        fingerprint=name_folder(job.folder, f"library-{device.kind}", digest).name,
        on_card=device.kind != "cpu",
        notice=plan.warning,
    )
