"""Why a worker that was killed while it loaded may have hung: what the model's files show."""

from heron.errors import HeronError, LoadHung
from heron.settings import Settings, home_folder
from heron.wire import Health

_MLC_CAUSES = (
    "MLC-LLM hangs, without an error, on a library or weights that do not fit each other and on a KV cache that the "
    "device has no room for"
)


def explain_hang(settings: Settings, last: Health) -> HeronError:
    """The error for a worker that was killed; reads the whole model where that can tell more."""
    doing = last.message.rstrip(".") or last.state
    found = _find_fault(settings)
    message = f"The worker was killed: it said nothing for {settings.engine.load_timeout_s:g} s ({doing})."
    if found:
        return LoadHung(f"{message} {found}")
    hint = "Raise engine.load_timeout_s if this machine is slow; the host's log has the worker's last words."
    if "MLC-LLM" in doing:
        hint = f"The files are whole. {_MLC_CAUSES}: lower engine.cache_tokens, or delete the compiled library."
    return LoadHung(message, hint=hint)


def _find_fault(settings: Settings) -> str:
    """What is wrong with the files of a model of MLC-LLM's; every byte of it is read. Empty if nothing is."""
    from heron.host.models.choose import choose_model
    from heron.host.models.mlc_check import check_folder, hash_folder
    from heron.host.models.store import Store

    if not settings.model.name.startswith("mlc:"):
        return ""
    try:
        folder = Store(home_folder()).path_of(choose_model(settings).entry)
        check_folder(folder)
        hash_folder(folder)
    except (HeronError, OSError) as error:
        return str(error)
    return ""
