"""`heron host` as a process: who may ask, one host a home, ports, leaving in order and when idle."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from filelock import FileLock

from heron import discovery
from heron.discovery import HostAddress
from heron.host.api.doorway import open_own_door


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    monkeypatch.setenv("HERON_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HERON_TOKEN", raising=False)
    return tmp_path / "home"


@contextmanager
def running_host(home: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", HostAddress]]:
    """A host that was started by hand, once it is published."""
    command = [sys.executable, "-m", "heron", "host", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            while "listens on" not in (line := process.stderr.readline()):
                assert line, "the host did not start"
            yield process, discovery.find_host(home)
        finally:
            process.kill()


def run_host(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "heron", "host", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def client_of(address: HostAddress, token: str = "") -> httpx.Client:
    transport = httpx.HTTPTransport(uds=address.socket_path or None)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(transport=transport, base_url=address.base_url, headers=headers, timeout=20)


def read_port(process: "subprocess.Popen[str]") -> HostAddress:
    """Where a host started with --port says it is."""
    return HostAddress(process.stdout.readline().split()[-1].removesuffix("/v1"))


def complete(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/completions", json={"prompt": "x"})


def test_a_host_answers_on_its_private_socket_and_leaves_in_order(home: Path) -> None:
    address = discovery.ensure_host(home)
    pid = discovery.read_record(home).pid
    assert stat.S_IMODE(Path(address.socket_path).stat().st_mode) == 0o600
    with client_of(address) as client:
        assert complete(client).json()["choices"][0]["text"] == "42"
        workers = psutil.Process(pid).children()
        os.kill(pid, signal.SIGTERM)
    psutil.Process(pid).wait(20)
    assert workers
    assert not any(worker.is_running() for worker in workers)
    assert not Path(address.socket_path).exists()
    assert not discovery.record_path(home).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_host_with_success(home: Path, number: signal.Signals) -> None:
    with running_host(home) as (process, _):
        process.send_signal(number)
        assert process.wait(20) == 0


def test_a_second_host_gives_way(home: Path) -> None:
    discovery.ensure_host(home)
    pid = discovery.read_record(home).pid
    try:
        second = run_host()
        assert second.returncode == 0
        assert f"already running for {home} (pid {pid})" in second.stderr
        third = run_host("--port", "0")
        assert third.returncode == 1
        assert "already running" in third.stderr
        assert discovery.read_record(home).pid == pid
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_host_waits_for_one_that_is_leaving(home: Path) -> None:
    command = [sys.executable, "-m", "heron", "host"]
    with ExitStack() as stack:
        with FileLock(discovery.run_folder(home) / "host.lock"):
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            assert "Waiting for a Heron host" in process.stderr.readline()
        assert any("listens on" in line for line in process.stderr)


def test_a_port_needs_the_token_that_is_printed_once(home: Path) -> None:
    with running_host(home, "--port", "0") as (process, address):
        port = read_port(process)
        token = process.stdout.readline().split()[-1]
        assert len(token) >= 32
        with client_of(address) as editor, client_of(port) as stranger, client_of(port, token) as friend:
            assert complete(editor).status_code == 200, "its own socket stays open to this user"
            assert complete(stranger).status_code == 401
            assert complete(friend).status_code == 200
            assert friend.get("/v1/models", headers={"Host": "evil.example"}).status_code == 403
        process.terminate()
        _, log = process.communicate(timeout=20)
        assert token not in log


def test_a_token_of_the_user_is_not_printed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_TOKEN", "my-own-token")
    with running_host(home, "--port", "0") as (process, _):
        with client_of(read_port(process), "my-own-token") as client:
            assert complete(client).status_code == 200
        process.terminate()
        assert "my-own-token" not in "".join(process.communicate(timeout=20))


def test_a_taken_port_is_a_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_host("--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port} is taken by another program." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not discovery.record_path(home).exists()


def test_an_idle_host_leaves_though_it_is_asked_for_its_health(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[host]\nidle_timeout_s = 1\n")
    with running_host(home) as (process, address):
        deadline = time.monotonic() + 20
        while process.poll() is None:
            assert time.monotonic() < deadline
            try:
                discovery.fetch_health(address)
            except discovery.HostUnreachable:
                assert process.wait(20) == 0
        assert not discovery.record_path(home).exists()
        assert not Path(address.socket_path).exists()


def test_the_rest_of_a_killed_host_is_cleared(home: Path) -> None:
    with running_host(home) as (process, address):
        process.kill()
    assert Path(address.socket_path).exists()
    with running_host(home) as (_, again), client_of(again) as client:
        assert complete(client).status_code == 200


def test_a_platform_without_unix_sockets_gets_loopback_and_a_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with ExitStack() as stack:
        endpoint = open_own_door(home, stack)
        assert endpoint.address.base_url.startswith("http://127.0.0.1:")
        assert endpoint.address.token == endpoint.auth.token != ""
        discovery.write_record(home, endpoint.address)
        assert discovery.find_host(home) == endpoint.address
