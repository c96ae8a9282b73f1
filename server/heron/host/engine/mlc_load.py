"""From a folder of MLC-LLM's to a running engine: everything that can be wrong is looked at before its constructor is
called, for that hangs where it should fail."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from heron.errors import CompileFailed, HeronError, InvalidSettings
from heron.host.compiler.mlc_probe import Device
from heron.host.engine.admission import AdmissionLimits
from heron.host.engine.budget import wanted_cache_tokens
from heron.host.engine.chat_template import find_template
from heron.host.engine.mlc_compile import POLICY, Build, ensure_library, may_compile
from heron.host.engine.mlc_engine import MlcEngine, MlcStart, start_mlc, with_window
from heron.host.engine.mlc_fit import MOST_PLACES, check_library, check_shards, read_metadata
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_survey import choose_device
from heron.host.engine.mlc_tokenizer import read_tokenizer
from heron.host.models.mlc_check import check_folder
from heron.host.models.progress import Report
from heron.wire import ModelInfo

PLACES = {"local": 4, "interactive": 1, "server": MOST_PLACES}
"""Requests that each mode of MLC-LLM runs at once; for server that many, whatever it would infer."""


def load_mlc(job: MlcJob, report: Report, announce: Callable[[str], None]) -> MlcEngine:
    """The engine of a folder. `announce` is told what it waits for when nothing more can be reported.

    Raises CorruptModel, OutOfMemory, CompileFailed, ResourceError, or SystemFault with MLC-LLM's own words.
    """
    config = check_folder(job.folder)
    device = choose_device(job.settings.engine.device, job.offer)
    window = min(job.window, config.longest or job.window)
    places = PLACES[job.settings.mlc.mode]
    library = ensure_library(_build(job, device, report), job.settings.mlc)
    if library is not None:
        announce(f"Looking at the library {library.name}")
        metadata = read_metadata(library, job)
        places = min(places, check_library(metadata, library, job, device))
    announce(f"Reading the tokenizer of {job.model_id}")
    tokenizer = read_tokenizer(job.folder)
    start = MlcStart(
        str(job.folder), f"{device.kind}:{device.index}", str(library) if library else None, job.settings.mlc.mode,
        _options(job, window, device, report) | {"max_num_sequence": places},
    )  # fmt: skip
    announce(f"MLC-LLM {job.offer.version} loads {job.model_id} on {device.describe()}")
    backend = _start(start, job)
    chats = find_template(tokenizer) is not None
    place = f"The model runs on {device.describe()} by MLC-LLM {job.offer.version}: {job.reason}"
    model = ModelInfo(job.model_id, window, tokenizer.fim is not None, chats, place=place)
    limits = AdmissionLimits(max_running=places)
    return MlcEngine(backend, tokenizer, with_window(model, backend), limits, job.settings.engine.long_prompt)


def _build(job: MlcJob, device: Device, report: Report, folder: Path | None = None) -> Build:
    shards = job.settings.mlc.tensor_parallel_shards
    overrides = {"tensor_parallel_shards": shards} if shards else {}
    return Build(folder or job.folder, device, job.offer.version, overrides, report)


def _options(job: MlcJob, window: int, device: Device, report: Report) -> dict[str, Any]:
    """Fields of MLC-LLM's EngineConfig. A prefill chunk is never among them: one above the compiled hangs."""
    mlc, engine = job.settings.mlc, job.settings.engine
    options: dict[str, Any] = {
        "max_single_sequence_length": window,
        "max_total_sequence_length": max(wanted_cache_tokens(engine), window),
        "prefix_cache_mode": "radix",
        "verbose": False,
    }
    if mlc.tensor_parallel_shards:
        check_shards(mlc.tensor_parallel_shards, device, job.offer, "Setting mlc.tensor_parallel_shards")
        options["tensor_parallel_shards"] = mlc.tensor_parallel_shards
    if mlc.draft_model:
        draft = Path(mlc.draft_model).expanduser()
        _check_draft(draft, job)
        library = ensure_library(
            _build(job, device, report, draft), replace(mlc, library="")
        )  # that is the large one's
        options |= {
            "speculative_mode": "small_draft",
            "spec_draft_length": mlc.draft_length,
            "additional_models": [(str(draft), str(library)) if library else str(draft)],
        }
    return options


def _check_draft(draft: Path, job: MlcJob) -> None:
    """A draft model speaks of the same tokens as the large one."""
    small, large = check_folder(draft), check_folder(job.folder)
    if small.vocab_size != large.vocab_size:
        raise InvalidSettings(
            f"Setting mlc.draft_model: {draft} has a vocabulary of {small.vocab_size} tokens, "
            f"the model one of {large.vocab_size}; they must be the same."
        )


def _start(start: MlcStart, job: MlcJob) -> Any:
    if start.library is None and job.settings.mlc.compile == "off":
        os.environ[POLICY] = "READONLY"  # read by mlc_llm when it is imported
    try:
        return start_mlc(start)
    except HeronError as error:
        if start.library is None and not may_compile(job.settings.mlc) and "JIT" in error.message:
            policy = os.environ.get(POLICY, "ON")
            raise CompileFailed(
                f"There is no compiled library for the model, and none may be made ({POLICY}={policy}).",
                hint=f"Set {POLICY}=ON and mlc.compile to auto once, or name one as mlc.library.",
            ) from error
        raise
