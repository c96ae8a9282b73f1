"""Fetch a model from the model hub, through `huggingface_hub` in a child process.

A child because that package reads its environment at import, resolves names without a time limit and retries for
minutes: here it is given up after the first answer's time-out, can be killed at any time, and its memory goes with it.
`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and proxy variables keep their meaning.
"""

import errno
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heron.host.models.child import Command, run_watched
from heron.host.models.sizes import largest_file_bytes
from heron.host.models.source import Errand, Fetched, SourceFailed

ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP ranges: resumable, and through any proxy
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def fetch_from_hub(errand: Errand, timeout_s: float) -> Fetched:
    """The hub's file. Raises SourceFailed after `timeout_s` without an answer; a later call resumes the download."""
    hub = errand.entry.hub
    assert hub is not None
    where = {"repo": hub.repo, "file": hub.file, "timeout_s": timeout_s}
    found = _ask(errand, where, 0)
    size, checksum = int(found["size_bytes"]), str(found["sha256"])
    if hub.sha256 not in (None, checksum):
        raise SourceFailed("the hub's file is another one than the catalogue's (its sha256 differs)")
    partial = _download_folder(errand) / f"{checksum}.partial"
    partial.parent.mkdir(exist_ok=True)
    errand.check_space(size - _size_of(partial))
    _ask(errand, {**where, "partial": str(partial), "size_bytes": size, "revision": found["revision"]}, size)
    return Fetched(partial, frozenset({checksum}))


def discard_download(errand: Errand) -> None:
    """Forget what the hub delivered."""
    shutil.rmtree(_download_folder(errand), ignore_errors=True)


def _download_folder(errand: Errand) -> Path:
    return errand.folder / "hub"


def _ask(errand: Errand, question: dict[str, Any], size: int) -> dict[str, Any]:
    """Run this module as a child with one question; its answer, or SourceFailed with its reason."""
    folder = _download_folder(errand)
    command = Command(
        [sys.executable, "-m", "heron.host.models.hub", json.dumps(question)],
        lambda: largest_file_bytes(folder),
        ENVIRONMENT,
    )
    ended = run_watched(command, lambda done: errand.report(done, size))
    try:
        answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise SourceFailed(f"the hub client ended without an answer (exit status {ended.returncode})") from error
    if answer.get("errno") in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        raise OSError(answer["errno"], answer["reason"], str(folder))
    if "reason" in answer:
        raise SourceFailed(answer["reason"])
    return answer


def main(arguments: list[str]) -> int:
    """The child: answer the question in `arguments` with one line of JSON on stdout."""
    question = json.loads(arguments[0])
    answer = _try(_download if "partial" in question else _find, question)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # Not through exit handlers: a thread may still wait for a name server that never answers.
    os._exit(0)


def _try(action: Callable[[dict[str, Any]], dict[str, Any]], question: dict[str, Any]) -> dict[str, Any]:
    try:
        return action(question)
    except Exception as error:  # whatever the hub client raises is one reason to try the next source
        return {"reason": _reason(error), "errno": getattr(error, "errno", None)}


def _find(question: dict[str, Any]) -> dict[str, Any]:
    """Ask for the file's metadata on a thread, because resolving a name cannot be given a time limit."""
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(_try(_read_metadata, question)), daemon=True)
    import huggingface_hub  # noqa: F401  before the clock starts: importing it takes a second on a busy machine

    thread.start()
    thread.join(question["timeout_s"])
    return answers[0] if answers else {"reason": f"no answer within {question['timeout_s']:g} s"}


def _read_metadata(question: dict[str, Any]) -> dict[str, Any]:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(question["repo"], question["file"])
    metadata = get_hf_file_metadata(url, timeout=question["timeout_s"])
    checksum = (metadata.etag or "").lower()
    if not re.fullmatch("[0-9a-f]{64}", checksum) or not metadata.size:
        return {"reason": "the hub gives no sha256 for the file, so it could not be checked"}
    return {"sha256": checksum, "size_bytes": metadata.size, "revision": metadata.commit_hash}


def _download(question: dict[str, Any]) -> dict[str, Any]:
    """Append what is missing to the partial file. `hf_hub_download` starts anew in each process: 8 GB do not wait."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    partial, size = Path(question["partial"]), question["size_bytes"]
    if _size_of(partial) > size:
        partial.unlink()
    with partial.open("ab") as file:
        url = hf_hub_url(question["repo"], question["file"], revision=question["revision"])
        http_get(url, file, resume_size=file.tell(), headers=build_hf_headers(), expected_size=size)
    return {}


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    """Why the hub did not deliver, in a few words: its first line, or that there is no way to it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    unreachable = isinstance(error, OSError) or type(error).__name__.startswith("Connect")
    return f"it cannot be reached ({text[:200]})" if unreachable else text[:200]


if __name__ == "__main__":
    main(sys.argv[1:])
