"""Where the host is: find it, start it once, recover from stale files. Shared by both wings, light to import.

A host keeps its lock, its socket and its discovery file in `run/<version>/` of Heron's home. The version is in the
path because a host of another version is never used: after an upgrade the old host goes on serving the old editors
and leaves when idle, while the new one starts beside it.
"""

import dataclasses
import errno
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from heron import __version__
from heron.errors import DiskFull, HostUnreachable, NoPermission
from heron.wire import Health

MAX_SOCKET_PATH_BYTES = 100
"""`sun_path` holds 104 bytes on macOS and 108 on Linux, with the closing zero."""
_MAX_LOG_BYTES = 1_000_000
_LOG_TAIL_BYTES = 2000
_POLL_S = 0.02
_MAX_HOSTS = 5
"""So many are found or started before it is given up."""
_SILENCE_S = 2.0
"""A host that does not answer for so long, and takes no time of any core meanwhile, stands still."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """How to reach a host: HTTP to `base_url`, through the Unix socket at `socket_path` unless that is empty."""

    base_url: str
    socket_path: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class HostRecord:
    """What a live host writes into its discovery file. `started_at` tells it from a later process of the same pid."""

    pid: int
    started_at: float
    version: str
    address: HostAddress


def find_host(home: Path) -> HostAddress | None:
    """The address of the live host of this home, or None. Removes the file that a killed host left behind."""
    record = read_record(home)
    if record is None:
        return None
    if not _is_alive(record):
        record_path(home).unlink(missing_ok=True)
        return None
    return record.address if _accepts(record.address) else None


def ensure_host(home: Path, timeout_s: float = 30.0, model: str = "") -> HostAddress:
    """The address of the host of this home, which is started if there is none. Blocks: call it in a thread.

    `model` is what a host that is started here serves, in place of the one in the home's settings.

    Returns when `/healthz` answers, whatever the state of the model; a host that stands still is ended, and another
    started. Raises HostUnreachable with the end of the host's log if it dies, or has not answered in time.
    """
    from filelock import FileLock, Timeout

    deadline = time.monotonic() + timeout_s
    for _ in range(_MAX_HOSTS):
        try:
            with FileLock(run_folder(home) / "start.lock", timeout=timeout_s):
                address = find_host(home) or _start_host(home, deadline, model)
        except Timeout:
            raise HostUnreachable(f"Another process has been starting the Heron host for {timeout_s:g} s.") from None
        if _await_health(home, address, deadline):
            return address
    raise HostUnreachable(f"{_MAX_HOSTS} Heron hosts ended at once.", hint=_log_tail(log_path(home), 0))


def fetch_health(address: HostAddress, timeout_s: float = 2.0) -> Health:
    """The answer of `/healthz`. Raises HostUnreachable if there is none."""
    from http.client import HTTPConnection, HTTPException

    host = address.base_url.removeprefix("http://")
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    try:
        with closing(HTTPConnection(host, timeout=timeout_s)) as connection:
            connection.sock = _connect(address, timeout_s)
            connection.request("GET", "/healthz", headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise HostUnreachable(f"The Heron host answered {response.status} to a health check.")
            return Health(**json.loads(body))
    except (OSError, HTTPException, ValueError, TypeError) as error:
        raise HostUnreachable(f"The Heron host does not answer: {error or type(error).__name__}.") from error


def run_folder(home: Path) -> Path:
    """The private folder of the lock, socket and discovery file of this version's host; made if missing."""
    return _make_private(home / "run" / __version__)


def record_path(home: Path) -> Path:
    return home / "run" / __version__ / "host.json"


def log_path(home: Path) -> Path:
    """The log of a host that an editor started."""
    return home / "logs" / "host.log"


def socket_path(home: Path) -> Path:
    """Where the host's Unix socket belongs: in the run folder, or in a short private one if that path is too long."""
    path = run_folder(home) / "host.sock"
    fits = len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES
    return path if fits else _short_folder(path) / path.name


def read_record(home: Path) -> HostRecord | None:
    """What the discovery file says, unchecked; None without a readable file."""
    try:
        values = json.loads(record_path(home).read_text(encoding="utf-8"))
        return HostRecord(**values | {"address": HostAddress(**values["address"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_record(home: Path, address: HostAddress) -> None:
    """Publish this process as the host, atomically and readable by the user alone (the file holds the token)."""
    record = HostRecord(os.getpid(), _started_at(os.getpid()) or 0.0, __version__, address)
    path = run_folder(home) / "host.json"
    fresh = path.with_suffix(".tmp")
    fresh.unlink(missing_ok=True)
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(record), file)
        os.replace(fresh, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(f"The disk of {home} is full: no host can be started.", hint="Free some space.") from error
        raise


def remove_record(home: Path) -> None:
    """Withdraw the discovery file if it is this process's own."""
    record = read_record(home)
    if record is not None and record.pid == os.getpid():
        record_path(home).unlink(missing_ok=True)


def _make_private(folder: Path) -> Path:
    """Make a folder that only this user may enter; refuse one that belongs to somebody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and (folder.is_symlink() or folder.stat().st_uid != os.getuid()):
            raise NoPermission(f"{folder} belongs to another user.", hint="Set HERON_HOME to a folder of your own.")
        folder.chmod(0o700)
    except OSError as error:
        raise NoPermission(f"{folder} cannot be used: {error.strerror}.", hint="Set HERON_HOME.") from error
    return folder


def _short_folder(path: Path) -> Path:
    """A private folder of its own for each path."""
    import hashlib
    import tempfile

    key = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return _make_private(Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"heron-{key}")


def _start_host(home: Path, deadline: float, model: str) -> HostAddress:
    log = log_path(home)
    begin = _rotate(log)
    process = _spawn(home, log, model)
    while time.monotonic() < deadline:
        if address := find_host(home):
            return address
        code = process.poll()
        if code == 0:  # it met another host that was then leaving
            process = _spawn(home, log, model)
        elif code is not None:
            raise HostUnreachable(f"The Heron host ended with code {code}.", hint=_log_tail(log, begin))
        time.sleep(_POLL_S)
    raise HostUnreachable("The Heron host did not start in time.", hint=_log_tail(log, begin))


def _spawn(home: Path, log: Path, model: str) -> "subprocess.Popen[bytes]":
    """Start a host that outlives this process. Its folder is the home, so that no workspace file is imported."""
    command = [sys.executable, "-m", "heron", "host"]
    environment = os.environ | {"HERON_HOME": str(home)} | ({"HERON_MODEL": model} if model else {})
    with _open_log(log) as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name="reap-host", daemon=True).start()
    return process


def _open_log(log: Path) -> BinaryIO:
    """The log for appending; nowhere where that is not possible: a full disk keeps no host from starting."""
    try:
        return open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError as error:
        _log.warning("The host keeps no log: %s", error)
        return open(os.devnull, "ab")


def _await_health(home: Path, address: HostAddress, deadline: float) -> bool:
    """Whether the host answers; False if it is gone, or stood still and was ended: another may be started."""
    while True:
        record, began = read_record(home), time.monotonic()
        cpu_s = _cpu_s(record)
        try:
            fetch_health(address, max(0.1, min(_SILENCE_S, deadline - began)))
            return True
        except HostUnreachable as error:
            is_silent = time.monotonic() - began >= _SILENCE_S
            if record and is_silent and cpu_s is not None and _cpu_s(record) == cpu_s:
                _end(record)
                return False
            if time.monotonic() >= deadline:
                raise HostUnreachable(error.message, hint=_log_tail(log_path(home), 0)) from error
            if find_host(home) != address:
                return False
            time.sleep(_POLL_S)


def _cpu_s(record: HostRecord | None) -> float | None:
    """Processor time that a live host has taken; None if there is none, or this process is it."""
    import psutil

    if record is None or record.pid == os.getpid() or not _is_alive(record):
        return None
    with suppress(psutil.Error):
        times = psutil.Process(record.pid).cpu_times()
        return float(times.user + times.system)
    return None


def _end(record: HostRecord) -> None:
    """End a host that neither answered nor did anything for `_SILENCE_S`: it was stopped, or waits for ever."""
    import psutil

    _log.warning("The Heron host (pid %d) stands still and is ended", record.pid)
    with suppress(psutil.Error):
        host = psutil.Process(record.pid)
        host.kill()
        host.wait(_SILENCE_S)


def _is_alive(record: HostRecord) -> bool:
    started_at = _started_at(record.pid)
    return started_at is not None and abs(started_at - record.started_at) < 1.0


def _started_at(pid: int) -> float | None:
    """When a running process began, in seconds since the epoch; None if there is none or it is a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def _accepts(address: HostAddress) -> bool:
    try:
        _connect(address, timeout_s=1.0).close()
    except OSError:
        return False
    return True


def _connect(address: HostAddress, timeout_s: float) -> socket.socket:
    if not address.socket_path:
        host, _, port = address.base_url.removeprefix("http://").partition(":")
        return socket.create_connection((host, int(port or 80)), timeout_s)
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this platform has no Unix sockets")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(address.socket_path)
    except OSError:
        connection.close()
        raise
    return connection


def _rotate(log: Path) -> int:
    """Put an overgrown log aside; the size of what is left, in bytes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size <= _MAX_LOG_BYTES:
            return log.stat().st_size
        os.replace(log, log.with_suffix(".log.1"))
    return 0


def _log_tail(log: Path, begin: int) -> str:
    """The last lines a host wrote since byte `begin`."""
    try:
        written = log.read_bytes()[begin:]
    except OSError:
        return ""
    tail = written[-_LOG_TAIL_BYTES:].decode("utf-8", errors="replace").strip()
    return f"The end of its log ({log}):\n{tail}" if tail else f"Its log, {log}, is empty."
