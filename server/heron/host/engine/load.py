"""From settings to a running engine: choose the model, fetch it, compile it, load it. What a worker does first."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.manifest import read_manifest
from heron.host.engine.chat_template import find_template
from heron.host.engine.draft import LookupDrafter
from heron.host.engine.local_engine import LocalEngine
from heron.host.engine.memory import release_freed_memory
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.choose import choose_model
from heron.host.models.fetch import ensure_model
from heron.host.models.gguf import GgufFile
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import Settings, home_folder
from heron.wire import Health, LoadState, ModelInfo

ReportHealth = Callable[[Health], None]


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
    model = _describe_model(model_id, artefact, tokenizer, settings)
    runner = load_runner(artefact, settings.engine)
    drafter = LookupDrafter() if settings.engine.speculation == "auto" else None
    engine = LocalEngine(runner, tokenizer, model, drafter=drafter)
    engine.warm_up()
    release_freed_memory()
    return engine


def _show_progress(report: ReportHealth, model_id: str, progress: Progress) -> None:
    state: LoadState = progress.state
    report(Health(state, model_id, progress.message, progress.fraction))


def _save_tokenizer(file: GgufFile, folder: Path) -> None:
    Tokenizer.from_gguf(file).save(folder)


def _describe_model(model_id: str, artefact: Path, tokenizer: Tokenizer, settings: Settings) -> ModelInfo:
    trained = read_manifest(artefact).config.context_length
    window = min(settings.engine.context_window, settings.engine.cache_tokens, trained)
    return ModelInfo(model_id, window, tokenizer.fim is not None, find_template(tokenizer) is not None)
