"""From settings to a running engine: choose the model, fetch it, compile it, load it. What a worker does first."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from heron.host.compiler.artefact import ensure_artefact
from heron.host.engine.budget import plan_memory
from heron.host.engine.chat_template import find_template
from heron.host.engine.draft import LookupDrafter
from heron.host.engine.local_engine import LocalEngine
from heron.host.engine.memory import release_freed_memory
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tool_format import find_tool_format
from heron.host.engine.tvm_engine import load_runner, memory_need
from heron.host.models.choose import choose_model
from heron.host.models.fetch import ensure_model
from heron.host.models.gguf import GgufFile
from heron.host.models.machine import free_memory_bytes
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import Settings, home_folder
from heron.wire import Health, LoadState, ModelInfo

ReportHealth = Callable[[Health], None]

_log = logging.getLogger(__name__)


def load_engine(settings: Settings, report: ReportHealth) -> LocalEngine:
    """The engine for the model the settings name, after as long as it takes to fetch and compile it.

    Raises ModelError, ResourceError or CompileFailed with a sentence for the user.
    """
    choice = choose_model(settings)
    model_id = choice.entry.id
    report(Health("starting", model_id, choice.reason))
    show = partial(_show_progress, report, model_id)
    path = ensure_model(choice.entry, Store(home_folder()), settings.model, show)
    artefact = ensure_artefact(path, settings.engine, show, _save_tokenizer)
    report(Health("loading", model_id, f"Loading {model_id}"))
    tokenizer = Tokenizer.load(artefact)
    plan = plan_memory(memory_need(artefact), settings.engine, free_memory_bytes())
    if plan.warning:
        _log.warning("%s", plan.warning)
        report(Health("loading", model_id, plan.warning))
    model = _describe_model(model_id, plan.window, tokenizer)
    runner = load_runner(artefact, replace(settings.engine, cache_tokens=plan.cache_tokens))
    drafter = LookupDrafter() if settings.engine.speculation == "auto" else None
    engine = LocalEngine(runner, tokenizer, model, drafter=drafter, settings=settings.engine)
    engine.warm_up()
    release_freed_memory()
    return engine


def _show_progress(report: ReportHealth, model_id: str, progress: Progress) -> None:
    state: LoadState = progress.state
    report(Health(state, model_id, progress.message, progress.fraction))


def _save_tokenizer(file: GgufFile, folder: Path) -> None:
    Tokenizer.from_gguf(file).save(folder)


def _describe_model(model_id: str, window: int, tokenizer: Tokenizer) -> ModelInfo:
    template = find_template(tokenizer)
    has_fim, chats = tokenizer.fim is not None, template is not None
    form = find_tool_format(template or "") or "tags"
    return ModelInfo(model_id, window, has_fim, chats, supports_tools=chats, tool_format=form)
