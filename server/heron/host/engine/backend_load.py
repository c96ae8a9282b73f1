"""Load the engine that the settings and the model ask for. What a worker does first."""

from functools import partial

from heron.host.engine.backend import choose_backend, choose_remote
from heron.host.engine.cache_numbers import refuse_small_cache
from heron.host.engine.engine import Engine
from heron.host.engine.load import ReportHealth, load_engine
from heron.host.engine.mlc_direct import load_direct
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_load import load_mlc
from heron.host.engine.mlc_survey import survey_mlc
from heron.host.engine.remote_load import load_remote
from heron.host.models.choose import choose_model
from heron.host.models.fetch import ensure_model
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import Settings, home_folder
from heron.wire import Health


def load_backend(settings: Settings, report: ReportHealth) -> Engine:
    """The engine, after as long as it takes to fetch, compile and load its model, or to reach the server.

    Raises ModelError, ResourceError, CompileFailed or HostUnreachable with a sentence for the user.
    """
    if remote := choose_remote(settings.engine):
        return load_remote(settings, report, remote.reason)
    entry = choose_model(settings).entry
    if not (entry.is_mlc or settings.engine.backend == "mlc" or settings.engine.device.startswith(("vulkan", "rocm"))):
        return load_engine(settings, report, "Heron's own engine: the model is a GGUF file.")
    report(Health("starting", entry.id))
    show = partial(_show, report, entry.id)
    path = ensure_model(entry, Store(home_folder()), settings.model, show)
    report(Health("starting", entry.id, "Looking for engines and devices"))
    offer = survey_mlc()
    choice = choose_backend(settings, path, lambda: offer)
    job = MlcJob(entry.id, path, settings, offer, choice.reason)
    announce = partial(_announce, report, entry.id)
    if choice.library is not None:
        return load_direct(job, choice.library, announce)
    if choice.backend == "tvm":
        return load_engine(settings, report, choice.reason)
    refuse_small_cache(settings.engine, f"MLC-LLM runs this model: {choice.reason}")
    return load_mlc(job, show, announce)


def _show(report: ReportHealth, model_id: str, progress: Progress) -> None:
    report(Health(progress.state, model_id, progress.message, progress.fraction))


def _announce(report: ReportHealth, model_id: str, message: str) -> None:
    report(Health("loading", model_id, message))
