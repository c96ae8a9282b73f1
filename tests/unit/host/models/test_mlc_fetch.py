"""A folder of MLC-LLM's from the model hub: the real hub client in its child process, against a server on loopback."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from heron.errors import CorruptModel, ModelUnavailable
from heron.host.models.catalog import entry_of
from heron.host.models.fetch import ensure_model
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import ModelSettings
from hub_server import running_hub
from mlc_models import make_mlc_folder

REVISION = "0123456789abcdef0123456789abcdef01234567"
NAME = "mlc:owner/tiny-q4f16_1-MLC"


@dataclass
class FakeHub:
    """A repository, and what was asked of it."""

    folder: Path
    asked: list[str] = field(default_factory=list)
    cut: str = ""
    """a file that breaks off in the middle, once"""


def answer_with(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send_head()

        def do_GET(self) -> None:
            content = self._send_head()
            name = self.path.rpartition("/")[2]
            if content is None:
                return
            hub.asked.append(name)
            if hub.cut == name:
                hub.cut, content = "", content[: len(content) // 2]
            self.wfile.write(content)

        def _send_head(self) -> bytes | None:
            path = hub.folder / self.path.rpartition("/")[2]
            is_known = self.path.startswith("/owner/tiny-q4f16_1-MLC/resolve/") and path.is_file()
            whole = path.read_bytes() if is_known else b""
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").partition("-")[0] or 0)
            self.send_response(404 if not is_known else 206 if asked else 200)
            if not is_known:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("ETag", f'"{hashlib.sha1(whole).hexdigest()}"')
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("Content-Length", str(len(whole) - start))
            self.end_headers()
            return whole[start:] if is_known else None

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Answer


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    fake = FakeHub(make_mlc_folder(tmp_path / "tiny"))
    with running_hub(answer_with(fake), monkeypatch, tmp_path):
        yield fake


def fetch(home: Path) -> tuple[Path, list[Progress]]:
    reports: list[Progress] = []
    return ensure_model(entry_of(NAME), Store(home), ModelSettings(hub_timeout_s=20.0), reports.append), reports


def test_all_its_files_are_fetched_once_and_hashed(hub: FakeHub, heron_home: Path) -> None:
    folder, reports = fetch(heron_home)
    assert folder == heron_home / "models" / "owner--tiny-q4f16_1-MLC"
    wanted = {path.name: path.read_bytes() for path in hub.folder.iterdir()}
    assert {name: (folder / name).read_bytes() for name in wanted} == wanted
    assert reports[-1].message == "Checking owner--tiny-q4f16_1-MLC"
    assert reports[-1].fraction == 1.0
    assert [model.id for model in Store(heron_home).list()] == [folder.name]
    before = len(hub.asked)
    assert fetch(heron_home) == (folder, [])
    assert len(hub.asked) == before


def test_an_interrupted_fetch_goes_on(hub: FakeHub, heron_home: Path) -> None:
    hub.cut = "params_shard_1.bin"
    folder, _ = fetch(heron_home)
    assert (folder / "params_shard_1.bin").read_bytes() == (hub.folder / "params_shard_1.bin").read_bytes()
    assert hub.asked.count("params_shard_1.bin") == 2
    assert hub.asked.count("params_shard_0.bin") == 1


def test_a_damaged_shard_is_refused_and_fetched_anew(hub: FakeHub, heron_home: Path) -> None:
    shard = hub.folder / "params_shard_0.bin"
    content = shard.read_bytes()
    shard.write_bytes(bytes(len(content)))
    with pytest.raises(CorruptModel, match=r"params_shard_0\.bin arrived damaged: its md5 is"):
        fetch(heron_home)
    shard.write_bytes(content)
    fetch(heron_home)
    assert hub.asked.count("params_shard_1.bin") == 1


def test_what_the_hub_does_not_have_is_said(hub: FakeHub, heron_home: Path) -> None:
    (hub.folder / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"owner/tiny-q4f16_1-MLC could not be fetched .model hub: .*404"):
        fetch(heron_home)
    with pytest.raises(ModelUnavailable, match="switched off"):
        ensure_model(entry_of(NAME), Store(heron_home), ModelSettings(use_hub=False), lambda progress: None)
