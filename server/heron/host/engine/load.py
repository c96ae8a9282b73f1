"""From settings to a running engine: choose the model, fetch it, compile it, load it. What a worker does first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.gpu.cards import Card
from heron.host.compiler.gpu.cuda_artefact import ensure_cuda_artefact
from heron.host.compiler.gpu.metal_artefact import ensure_metal_artefact
from heron.host.engine.artefact_seal import loading_from, sealed_artefact
from heron.host.engine.budget import MemoryNeed, plan_memory
from heron.host.engine.cache_numbers import refuse_small_cache
from heron.host.engine.card_lost import telling_of_card
from heron.host.engine.chat_template import find_template
from heron.host.engine.cuda_engine import check_fit, load_cuda_runner
from heron.host.engine.device_choice import Place, choose_place
from heron.host.engine.draft import LookupDrafter
from heron.host.engine.gpu_memory import gpu_memory_need
from heron.host.engine.local_engine import EnginePolicy, LocalEngine
from heron.host.engine.memory import release_freed_memory
from heron.host.engine.metal_engine import load_metal_runner
from heron.host.engine.mlc_tokenizer import tokenizer_of
from heron.host.engine.runner import Runner
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tool_format import find_tool_format
from heron.host.engine.tvm_engine import load_runner, memory_need
from heron.host.models.choose import choose_model
from heron.host.models.fetch import ensure_model
from heron.host.models.gguf import GgufFile
from heron.host.models.machine import free_memory_bytes
from heron.host.models.progress import Progress, Report
from heron.host.models.store import Store
from heron.settings import EngineSettings, Settings, home_folder
from heron.wire import Health, LoadState, ModelInfo

ReportHealth = Callable[[Health], None]

_log = logging.getLogger(__name__)


def load_engine(settings: Settings, report: ReportHealth, why: str = "") -> LocalEngine:
    """The engine for the model the settings name, after as long as it takes to fetch and compile it.

    `why` is the reason for this engine and not another, for people.

    Raises ModelError, ResourceError or CompileFailed with a sentence for the user.
    """
    choice = choose_model(settings)
    model_id = choice.entry.id
    report(Health("starting", model_id, choice.reason))
    show = partial(_show_progress, report, model_id)
    path = ensure_model(choice.entry, Store(home_folder()), settings.model, show)
    place = choose_place(settings.engine.device, partial(check_fit, path, settings.engine))
    _log.info("%s", place.reason)
    prepared = _prepare(place, path, settings.engine, show)
    report(Health("loading", model_id, f"Loading {model_id}. {place.reason}"))
    tokenizer = Tokenizer.load(prepared.artefact)
    plan = plan_memory(prepared.need, settings.engine, prepared.free_bytes)
    if plan.warning:
        _log.warning("%s", plan.warning)
        report(Health("loading", model_id, plan.warning))
    model = describe_model(model_id, plan.window, tokenizer)
    model = replace(model, place=f"{place.reason} {why}".strip(), fingerprint=prepared.artefact.name)
    model = replace(model, on_card=place.kind != "cpu", notice=plan.warning)
    with loading_from(prepared.artefact), telling_of_card(model.on_card):
        runner = prepared.load(replace(settings.engine, cache_tokens=plan.cache_tokens))
    drafter = LookupDrafter() if settings.engine.speculation == "auto" else None
    policy = EnginePolicy(_limits(place, runner, settings.engine), drafter=drafter, settings=settings.engine)
    engine = LocalEngine(runner, tokenizer, model, policy)
    engine.warm_up()
    release_freed_memory()
    return engine


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A model compiled for where it will run; `free_bytes` of the memory it will take `need` from."""

    artefact: Path
    need: MemoryNeed
    free_bytes: int
    load: Callable[[EngineSettings], Runner]


def _limits(place: Place, runner: Runner, engine: EngineSettings) -> SchedulerLimits:
    """A GPU takes hundreds of tokens in the time of a few, and one that waits does not wait for long."""
    most = runner.max_batch_tokens
    is_cpu = place.kind == "cpu"
    limits = SchedulerLimits() if is_cpu else SchedulerLimits(max_step_tokens=most, background_tokens=most)
    return replace(limits, max_running=engine.max_running) if engine.max_running else limits


def _prepare(place: Place, path: Path, engine: EngineSettings, show: Report) -> _Prepared:
    if place.kind != "cpu":
        refuse_small_cache(engine, place.reason)
    if place.card:
        return _prepare_card(path, place.card, show)
    return _prepare_metal(path, show) if place.kind == "metal" else _prepare_cpu(path, engine, show)


def _prepare_cpu(path: Path, engine: EngineSettings, show: Report) -> _Prepared:
    artefact = sealed_artefact(lambda: ensure_artefact(path, engine, show, _save_tokenizer))
    return _Prepared(artefact, memory_need(artefact), free_memory_bytes(), partial(load_runner, artefact))


def _prepare_card(path: Path, card: Card, show: Report) -> _Prepared:
    artefact = sealed_artefact(lambda: ensure_cuda_artefact(path, card.architecture, show, _save_tokenizer))
    load = partial(load_cuda_runner, path, artefact, card.index)
    return _Prepared(artefact, gpu_memory_need(path), card.free_bytes, load)


def _prepare_metal(path: Path, show: Report) -> _Prepared:
    """The GPU of a Mac has no memory of its own."""
    artefact = sealed_artefact(lambda: ensure_metal_artefact(path, show, _save_tokenizer))
    load = partial(load_metal_runner, path, artefact)
    return _Prepared(artefact, gpu_memory_need(path), free_memory_bytes(), load)


def _show_progress(report: ReportHealth, model_id: str, progress: Progress) -> None:
    state: LoadState = progress.state
    report(Health(state, model_id, progress.message, progress.fraction))


def _save_tokenizer(file: GgufFile, folder: Path) -> None:
    tokenizer_of(file).save(folder)


def describe_model(model_id: str, window: int, tokenizer: Tokenizer) -> ModelInfo:
    """What clients are told that a model can do, by its tokenizer."""
    template = find_template(tokenizer)
    has_fim, chats = tokenizer.fim is not None, template is not None
    form = find_tool_format(template or "") or "tags"
    return ModelInfo(model_id, window, has_fim, chats, supports_tools=chats, tool_format=form)
