"""The real process over real pipes: what editors and their accidents do to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heron.discovery import read_record
from homes import environment
from lsp_client import LspClient, completion_params, frame

URI = "file:///work/a.py"
FAR = {"host": {"url": "http://127.0.0.1:1"}, "completion": {"timeout_ms": 50}}
"""No host is started, none answers."""


@pytest.fixture
def client(heron_home: Path) -> Iterator[LspClient]:
    with LspClient(environment=environment(heron_home)) as client:
        yield client


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose host, over the scripted engine, serves all tests of this file."""
    home = tmp_path_factory.mktemp("shared-home")
    yield home
    subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=environment(home), check=True)


@pytest.fixture
def with_host(shared_home: Path) -> Iterator[LspClient]:
    """A client whose server has found, or started, a host that is ready."""
    with LspClient(environment=environment(shared_home, HERON_ENGINE="scripted")) as client:
        client.initialize()
        client.wait_notification("heron/status", state="ready")
        yield client


def is_alive(client: LspClient) -> bool:
    return "result" in client.request("heron/lastTimings")


def inserted(response: dict[str, object]) -> object:
    result = response["result"]
    return result[0]["insertText"] if isinstance(result, list) else None


def test_nothing_heavy_is_imported_before_initialize() -> None:
    heavy = ["httpx", "tree_sitter", "numpy", "tvm", "fastapi", "pydantic", "tokenizers", "jinja2", "psutil", "rich"]
    code = f"import sys, heron.app, heron.editor.lsp.server; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_completion_and_an_orderly_end(with_host: LspClient) -> None:
    with_host.open(URI, "def f():\n    return \n")
    assert inserted(with_host.complete(URI, 1, 11)) == "42"
    assert with_host.leave() == 0
    assert with_host.received[-1]["method"] == "heron/status"


def test_documents_and_completions_are_not_logged(with_host: LspClient) -> None:
    with_host.open(URI, "secret_name = \n")
    with_host.complete(URI, 0, 14)
    with_host.request("textDocument/inlineCompletion", {"position": "secret_name"})
    with_host.leave()
    assert b"outcome=shown" in with_host.log
    assert b"secret_name" not in with_host.log


def test_a_killed_host_is_started_again(with_host: LspClient, shared_home: Path) -> None:
    record = read_record(shared_home)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    with_host.open(URI, "x = ")
    assert inserted(with_host.complete(URI, 0, 4)) == "42"
    again = read_record(shared_home)
    assert again is not None
    assert again.pid != record.pid


@pytest.mark.parametrize("head", [b"content-length", b"CONTENT-LENGTH"])
def test_header_names_in_any_case(client: LspClient, head: bytes) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "x", "method": "shutdown"}).encode()
    client.send_bytes(head + b": %d\r\n\r\n" % len(body) + body)
    assert client.wait("x")["error"]["code"] == -32002
    client.initialize(FAR)
    assert is_alive(client)


def test_malformed_messages_are_answered_and_survived(client: LspClient) -> None:
    client.initialize(FAR)
    for body in (b"{", b"\xff", b"[" * 200_000):
        client.send_bytes(frame(body))
        assert client.wait(None)["error"]["code"] == -32700
    assert is_alive(client)


def test_an_absurd_length_is_told_and_ends_the_server(client: LspClient) -> None:
    client.initialize(FAR)
    client.send_bytes(b"Content-Length: 1000000000000000\r\n\r\n")
    assert client.wait(None)["error"]["code"] == -32700
    assert client.wait_exit() == 1


def test_exit_without_shutdown(client: LspClient) -> None:
    client.initialize(FAR)
    client.notify("exit")
    assert client.wait_exit() == 1


def test_a_closed_stdin_ends_the_server(client: LspClient) -> None:
    client.initialize(FAR)
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(20) == 1


def test_it_does_not_outlive_its_editor(heron_home: Path) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with LspClient(environment=environment(heron_home)) as client:
        client.initialize(FAR, processId=editor.pid)
        assert is_alive(client)
        editor.kill()
        editor.communicate()
        assert client.wait_exit() == 1


def test_it_leaves_at_once_while_a_host_is_starting(client: LspClient) -> None:
    client.initialize()
    client.request("shutdown")
    client.notify("exit")
    assert client.wait_exit() == 0


def test_a_document_of_50_megabytes(with_host: LspClient) -> None:
    line = "value = compute(first, second)  # é\n"
    with_host.open(URI, line * (50_000_000 // len(line)))
    place = {"line": 700_000, "character": 0}
    change = {"range": {"start": place, "end": place}, "text": "x = "}
    document = {"uri": URI, "version": 2}
    with_host.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    response = with_host.complete(URI, 700_000, 4)
    assert response["result"] is None or inserted(response) == "42"
    with_host.open("file:///b.py", "x = ")
    assert inserted(with_host.complete("file:///b.py", 0, 4)) == "42"


def test_a_line_of_100_000_columns(with_host: LspClient) -> None:
    with_host.open(URI, "x = [" + "'é😀', " * 20_000)
    assert inserted(with_host.complete(URI, 0, 5 + 7 * 20_000)) == "42"
    assert is_alive(with_host)


def test_a_burst_while_the_server_is_busy_is_answered(with_host: LspClient) -> None:
    with_host.open(URI, "x = \n" * 20_000)
    ids = [with_host.start("textDocument/inlineCompletion", completion_params(URI, number, 4)) for number in range(100)]
    responses = [with_host.wait(request_id) for request_id in ids]
    assert sum("error" in response for response in responses) == 99
    assert inserted(responses[-1]) == "42"


def test_an_invalid_setting_is_told(client: LspClient) -> None:
    client.initialize(FAR | {"model": {"name": 5}})
    message = client.wait_notification("window/showMessage")
    assert "model.name" in str(message["message"])
    assert "5" in str(message["message"])
    assert is_alive(client)
