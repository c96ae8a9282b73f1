"""The discovery file and the start of hosts, with real host processes over the scripted engine."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from heron import discovery
from heron.discovery import HostAddress
from heron.errors import HostUnreachable, NoPermission

LONG_NAME = "x" * 100
FIND_OR_START = "import sys, pathlib; from heron import discovery; home = pathlib.Path(sys.argv[1])\n"
FIND_OR_START += "discovery.ensure_host(home); print(discovery.read_record(home).pid)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose host, if one is started, answers from a script; it is killed in the end."""
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = tmp_path / "home"
    yield home
    record = discovery.read_record(home)
    if record and _is_ours(record):
        os.kill(record.pid, signal.SIGKILL)


def _is_ours(record: discovery.HostRecord) -> bool:
    """Whether a record names a host that a test started: tests write other processes into it, too."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "heron" in psutil.Process(record.pid).cmdline() and record.pid != os.getpid()
    return False


@pytest.fixture
def listener(home: Path) -> Iterator[socket.socket]:
    """A socket where the host's would be."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(discovery.socket_path(home)))
        listener.listen()
        yield listener


def address_of(home: Path) -> HostAddress:
    return HostAddress("http://localhost", str(discovery.socket_path(home)))


def rewrite(home: Path, **changes: object) -> None:
    record = discovery.read_record(home)
    assert record is not None
    discovery.record_path(home).write_text(json.dumps(dataclasses.asdict(record) | changes))


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_a_new_home_has_no_host(home: Path) -> None:
    assert discovery.find_host(home) is None
    assert not home.exists()


def test_a_published_host_is_found(home: Path, listener: socket.socket) -> None:
    discovery.write_record(home, address_of(home))
    assert discovery.find_host(home) == address_of(home)
    discovery.remove_record(home)
    assert discovery.find_host(home) is None


def test_only_the_user_can_read_what_a_host_publishes(home: Path) -> None:
    discovery.write_record(home, HostAddress("http://127.0.0.1:1", token="secret"))
    path = discovery.record_path(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert discovery.read_record(home).address.token == "secret"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"address": 5}', '{"pid": 1, "address": {}}', "\udcff"])
def test_garbage_is_no_host(home: Path, text: str) -> None:
    discovery.run_folder(home)
    discovery.record_path(home).write_text(text, errors="surrogateescape")
    assert discovery.find_host(home) is None


def test_the_file_of_a_dead_host_is_removed(home: Path, listener: socket.socket) -> None:
    discovery.write_record(home, address_of(home))
    rewrite(home, pid=dead_pid())
    assert discovery.find_host(home) is None
    assert not discovery.record_path(home).exists()


def test_a_later_process_of_the_same_pid_is_no_host(home: Path, listener: socket.socket) -> None:
    discovery.write_record(home, address_of(home))
    rewrite(home, started_at=1.0)
    assert discovery.find_host(home) is None
    assert not discovery.record_path(home).exists()


def test_a_zombie_is_no_host(home: Path, listener: socket.socket) -> None:
    discovery.write_record(home, address_of(home))
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        rewrite(home, pid=process.pid, started_at=psutil.Process(process.pid).create_time())
        assert discovery.find_host(home) is None


def test_a_live_process_that_does_not_accept_keeps_its_file(home: Path) -> None:
    discovery.write_record(home, address_of(home))
    assert discovery.find_host(home) is None
    assert discovery.record_path(home).exists()


def test_the_file_of_another_process_is_not_withdrawn(home: Path) -> None:
    discovery.write_record(home, address_of(home))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        rewrite(home, pid=other.pid)
        discovery.remove_record(home)
        assert discovery.record_path(home).exists()


def test_a_long_home_gets_a_short_private_socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    paths = [discovery.socket_path(tmp_path / LONG_NAME / name) for name in ("a", "b")]
    assert paths[0] != paths[1]
    for path in paths:
        assert len(os.fsencode(path)) <= discovery.MAX_SOCKET_PATH_BYTES
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_prepared_by_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = tmp_path / LONG_NAME
    short = discovery.socket_path(home).parent
    short.rmdir()
    short.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(NoPermission, match="HERON_HOME"):
        discovery.socket_path(home)


def test_a_home_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(NoPermission, match="HERON_HOME"):
        discovery.ensure_host(tmp_path / "home")


def test_health_of_nothing(home: Path) -> None:
    with pytest.raises(HostUnreachable, match="does not answer"):
        discovery.fetch_health(HostAddress("http://localhost", str(home / "none")))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 401 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\n\r\n{"a": 1}',
    ],
)
def test_health_of_something_else(home: Path, listener: socket.socket, answer: bytes) -> None:
    listener.settimeout(20)
    client = socket.socket(socket.AF_UNIX)
    with client, subprocess.Popen([sys.executable, "-c", _ASK, str(home)], stderr=subprocess.PIPE) as asking:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)
        assert b"HostUnreachable" in asking.communicate(timeout=20)[1]


_ASK = "import sys, pathlib; from heron import discovery as d; home = pathlib.Path(sys.argv[1])\n"
_ASK += "d.fetch_health(d.HostAddress('http://localhost', str(d.socket_path(home))))"


def test_two_processes_at_once_start_one_host(home: Path) -> None:
    command = [sys.executable, "-c", FIND_OR_START, str(home)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    pids = {int(starter.communicate(timeout=60)[0]) for starter in starters}
    assert len(pids) == 1
    assert [starter.returncode for starter in starters] == [0, 0]
    assert psutil.pid_exists(pids.pop()), "the host outlives who started it"
    assert "already running" not in discovery.log_path(home).read_text(), "not even a try at a second one"


def test_a_killed_host_is_replaced(home: Path) -> None:
    first = discovery.ensure_host(home)
    assert discovery.ensure_host(home) == first
    killed = discovery.read_record(home)
    os.kill(killed.pid, signal.SIGKILL)
    psutil.Process(killed.pid).wait(20)
    assert discovery.find_host(home) is None
    address = discovery.ensure_host(home)
    assert discovery.fetch_health(address).state in ("starting", "loading", "ready")
    assert discovery.read_record(home).pid != killed.pid


def test_a_host_that_stands_still_is_ended_and_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_SILENCE_S", 0.5)
    first = discovery.ensure_host(home)
    stopped = psutil.Process(discovery.read_record(home).pid)
    stopped.suspend()
    address = discovery.ensure_host(home)
    assert not stopped.is_running()
    assert address == first, "another host, at the same place"
    assert discovery.fetch_health(address).state in ("starting", "loading", "ready")


def test_a_host_that_cannot_be_published_for_a_full_disk_says_so(home: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from heron import discovery\n"
        "discovery.run_folder(Path(sys.argv[1])); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "discovery.write_record(Path(sys.argv[1]), discovery.HostAddress('http://localhost'))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=False)
    assert f"DiskFull: The disk of {home} is full: no host can be started. Free some space." in done.stderr
    assert discovery.read_record(home) is None


def test_a_log_that_cannot_be_written_keeps_no_host_from_starting(home: Path) -> None:
    discovery.log_path(home).mkdir(parents=True)
    address = discovery.ensure_host(home)
    assert discovery.fetch_health(address).state in ("starting", "loading", "ready")


def test_a_host_that_is_started_serves_the_model_asked_for(home: Path) -> None:
    discovery.ensure_host(home, model="smollm2-135m-instruct")
    host = psutil.Process(discovery.read_record(home).pid)
    assert host.environ()["HERON_MODEL"] == "smollm2-135m-instruct"


def test_a_host_starts_for_a_long_home(home: Path) -> None:
    home = home / LONG_NAME
    address = discovery.ensure_host(home)
    try:
        assert LONG_NAME not in address.socket_path
        assert discovery.find_host(home) == address
    finally:
        os.kill(discovery.read_record(home).pid, signal.SIGKILL)


def test_a_host_that_cannot_start_tells_why(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[engine]\nthreads = 'many'\n")
    with pytest.raises(HostUnreachable, match=r"engine\.threads") as caught:
        discovery.ensure_host(home)
    assert "ended with code 1" in caught.value.message


def test_modules_in_the_folder_of_the_editor_are_not_imported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fastapi.py").write_text("raise SystemExit('imported from the workspace')")
    monkeypatch.chdir(tmp_path)
    assert discovery.ensure_host(home)


def test_an_overgrown_log_is_put_aside(home: Path) -> None:
    log = discovery.log_path(home)
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * 2_000_000)
    discovery.ensure_host(home)
    assert log.stat().st_size < 100_000
    assert log.with_suffix(".log.1").stat().st_size == 2_000_000
