import os
from pathlib import Path

import pytest

from heron.errors import CorruptModel
from heron.host.models.catalog import CatalogEntry, HubFile, find_model
from heron.host.models.store import Store, next_smaller
from tiny_models import entry_in_wheels, write_gguf


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_gguf(tmp_path / "made.gguf").read_bytes()


@pytest.fixture
def store(heron_home: Path) -> Store:
    return Store(heron_home)


def put(store: Store, entry: CatalogEntry, content: bytes) -> Path:
    path = store.path_of(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def count_hashed_bytes(store: Store, entry: CatalogEntry) -> int:
    """How much of the file `find` reads."""
    reported = [0]
    assert store.find(entry, reported.append)
    return reported[-1]


def test_nothing_stored_is_none(store: Store) -> None:
    assert store.find(find_model("smollm2-135m-instruct")) is None


def test_a_file_is_hashed_once_and_again_only_when_it_was_touched(store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    path = put(store, entry, content)
    assert count_hashed_bytes(store, entry) == len(content)
    assert count_hashed_bytes(store, entry) == 0
    os.utime(path, ns=(1, 1))
    assert count_hashed_bytes(store, entry) == len(content)


def test_an_altered_file_is_refused_also_when_it_was_verified_before(store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    path = put(store, entry, content)
    store.find(entry)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(1, 1))
    with pytest.raises(CorruptModel, match=r"its sha256 is .*, not "):
        store.find(entry)


def test_a_truncated_file_is_refused(store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1)
    put(store, entry, content[:-1])
    with pytest.raises(CorruptModel, match="not the file it should be"):
        store.find(entry)


def test_what_a_hub_vouched_for_is_checked_against_that(store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1, sha256=None, wheels=(), hub=HubFile("a/b", "tiny.gguf"))
    path = put(store, entry, content)
    store.find(entry)
    path.write_bytes(content + b"more")
    with pytest.raises(CorruptModel):
        store.find(entry)


def test_without_any_checksum_a_file_must_be_a_whole_gguf(store: Store, content: bytes) -> None:
    entry = entry_in_wheels(content, 1, sha256=None, wheels=(), hub=HubFile("a/b", "tiny.gguf"))
    put(store, entry, content[:-64])
    with pytest.raises(CorruptModel, match="ends at byte"):
        store.find(entry)


def test_list_and_remove(store: Store) -> None:
    entry = find_model("smollm2-135m-instruct")
    assert store.list() == []
    path = put(store, entry, b"12345")
    (path.parent / "SmolLM2.partial").write_bytes(b"123")
    assert [(model.id, model.path, model.size_bytes) for model in store.list()] == [(entry.id, path, 5)]
    assert store.remove(entry) == 8
    assert store.list() == []
    assert store.remove(entry) == 0


def test_a_file_of_the_users_own_is_used_where_it_lies(store: Store, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(content)
    entry = entry_in_wheels(content, 1, local_path=path)
    assert store.find(entry) == path
    assert not store.folder.exists()


def test_the_next_smaller_model_is_the_largest_of_those_that_are_smaller(store: Store) -> None:
    names = ("smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct")
    for number, name in enumerate(names, 1):
        put(store, find_model(name), bytes(number))
    assert [next_smaller(name) for name in names] == ["", names[0], names[1]]
    assert next_smaller("another") == ""
