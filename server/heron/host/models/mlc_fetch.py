"""Fetch a folder of MLC-LLM's from the model hub, or look at one on the disk; either way it is checked.

What to fetch is in the folder's own small files: `mlc-chat-config.json` names the tokenizer's, the list of weights each
shard with its md5. As for a GGUF file the hub's client runs in a child process (`hub.py` says why).
"""

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from heron.errors import CorruptModel, DiskFull, HeronError, ModelUnavailable
from heron.host.models.catalog import CatalogEntry
from heron.host.models.child import Command, run_watched
from heron.host.models.hub import ENVIRONMENT
from heron.host.models.mlc_check import check_folder, find_damaged, folder_size, hash_folder
from heron.host.models.mlc_format import CACHE_FILES, CONFIG_FILE, TOKENIZER_FILE, read_mlc_config, read_tensor_cache
from heron.host.models.progress import Progress, Report
from heron.host.models.sizes import file_sizes
from heron.settings import ModelSettings

_VERIFIED = "heron-verified"
"""A file beside the weights that says they were hashed."""
_OPTIONAL = ("tokenizer_config.json", "chat_template.jinja", "LICENSE")


def ensure_mlc(entry: CatalogEntry, folder: Path, settings: ModelSettings, report: Report) -> Path:
    """The model's folder, whole: that of the user's own, or what was fetched, hashed once.

    Raises ModelUnavailable with the hub's reason, CorruptModel with what is wrong.
    """
    if entry.local_path is not None:
        check_folder(entry.local_path)
        return entry.local_path
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / _VERIFIED).exists():
            _fetch(entry, folder, settings, report)
            _hash(entry.id, folder, report)
            (folder / _VERIFIED).touch()
    check_folder(folder)
    return folder


def verify_mlc(entry: CatalogEntry, folder: Path, report: Report) -> None:
    """Look at a whole folder, every byte of it. Raises CorruptModel."""
    check_folder(folder)
    hash_folder(folder, _show_check(entry.id, folder, report))


def _fetch(entry: CatalogEntry, folder: Path, settings: ModelSettings, report: Report) -> None:
    if not settings.use_hub:
        raise ModelUnavailable(f"{entry.mlc_repo} is on the model hub, which is switched off (model.use_hub).")
    show = partial(_show, report, entry.id)
    found = _ask(
        entry, settings, folder, {"files": [CONFIG_FILE, TOKENIZER_FILE], "optional": [*CACHE_FILES, *_OPTIONAL]}
    )
    revision = found["revision"]
    config = read_mlc_config(folder)
    named = [name for name in config.values.get("tokenizer_files") or () if isinstance(name, str)]
    shards = read_tensor_cache(folder)
    total = folder_size(shards)
    _check_space(entry, folder, total)
    question = {"files": [shard.file_name for shard in shards], "optional": named, "revision": revision}
    _ask(entry, settings, folder, question, partial(show, total=total))


def _hash(name: str, folder: Path, report: Report) -> None:
    """Delete what arrived damaged, to be fetched anew the next time. Raises CorruptModel."""
    damaged = list(find_damaged(folder, _show_check(name, folder, report)))
    for path, _ in damaged:
        path.unlink(missing_ok=True)
    for path, reason in damaged:
        raise CorruptModel(f"{path} arrived damaged: {reason}.", hint="Fetch it again.")


def _show_check(name: str, folder: Path, report: Report) -> Callable[[int], None]:
    total = folder_size(read_tensor_cache(folder))
    return lambda done: report(Progress("downloading", f"Checking {name}", done, total))


def _show(report: Report, name: str, done: int, total: int = 0) -> None:
    report(Progress("downloading", f"Fetching {name} from the model hub", min(done, total), total))


def _check_space(entry: CatalogEntry, folder: Path, total: int) -> None:
    needed, free = total - sum(file_sizes(folder)), shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFull(
            f"Fetching {entry.id} needs {needed / 1e6:,.0f} MB at {folder}, and {free / 1e6:,.0f} MB are free."
        )


def _ask(
    entry: CatalogEntry,
    settings: ModelSettings,
    folder: Path,
    question: dict[str, Any],
    report: Any = lambda done: None,
) -> dict[str, Any]:
    """Let the child fetch files into the folder; its answer has the revision they are of."""
    whole = {"repo": entry.mlc_repo, "folder": str(folder), "timeout_s": settings.hub_timeout_s, **question}
    command = Command(
        [sys.executable, "-m", "heron.host.models.mlc_fetch", json.dumps(whole)],
        lambda: sum(file_sizes(folder)),
        ENVIRONMENT,
    )
    ended = run_watched(command, report)
    try:
        answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        answer = {"reason": f"the hub client ended without an answer (exit status {ended.returncode})"}
    if "reason" in answer:
        hint = "It needs a connection once; a folder on the disk can be named instead: mlc:PATH."
        raise ModelUnavailable(f"{entry.mlc_repo} could not be fetched (model hub: {answer['reason']}).", hint=hint)
    return answer


def main(arguments: list[str]) -> None:
    """The child: fetch what the question in `arguments` names; one line of JSON on stdout."""
    question = json.loads(arguments[0])
    try:
        answer = _fetch_files(question)
    except Exception as error:  # whatever the hub client raises is the reason
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        answer = {"reason": (lines[0] if lines else type(error).__name__)[:200]}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _fetch_files(question: dict[str, Any]) -> dict[str, Any]:
    revision = question.get("revision")
    for name, is_wanted in ((name, key == "files") for key in ("files", "optional") for name in question.get(key, ())):
        revision = _fetch_file(question, name, (revision, is_wanted)) or revision
    return {"revision": revision}


def _fetch_file(question: dict[str, Any], name: str, how: tuple[str | None, bool]) -> str | None:
    """Append what is missing of a file, then give it its name; the revision it is of. Optional ones may be missing."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import EntryNotFoundError, build_hf_headers

    target, (revision, is_wanted) = Path(question["folder"]) / Path(name).name, how
    url = hf_hub_url(question["repo"], name, revision=revision)
    try:
        metadata = _within(question["timeout_s"], partial(_read_metadata, url, question["timeout_s"]))
    except EntryNotFoundError:
        if is_wanted:
            raise
        return None
    if target.exists() and target.stat().st_size == metadata.size:
        return str(metadata.commit_hash)
    partial_path = target.with_name(f"{target.name}.partial")
    with partial_path.open("ab") as file:
        if file.tell() > (metadata.size or 0):
            file.truncate(0)
        pinned = hf_hub_url(question["repo"], name, revision=metadata.commit_hash)
        http_get(pinned, file, resume_size=file.tell(), headers=build_hf_headers(), expected_size=metadata.size)
    os.replace(partial_path, target)
    return str(metadata.commit_hash)


def _read_metadata(url: str, timeout_s: float) -> Any:
    from huggingface_hub import get_hf_file_metadata

    return get_hf_file_metadata(url, timeout=timeout_s)


def _within(timeout_s: float, action: Any) -> Any:
    """The result of an action on a thread: resolving a name cannot be given a time limit."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not results:
        raise HeronError(f"no answer within {timeout_s:g} s")
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


if __name__ == "__main__":
    main(sys.argv[1:])
