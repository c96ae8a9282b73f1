import hashlib
from pathlib import Path

import pytest

from heron.errors import CorruptModel
from heron.host.models.check import check_file, hash_file
from tiny_models import write_gguf


def test_a_hash_reports_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(9 << 20))
    reported: list[int] = []
    assert hash_file(path, reported.append) == hashlib.sha256(bytes(9 << 20)).hexdigest()
    assert reported == [4 << 20, 8 << 20, 9 << 20]


def test_any_of_the_known_checksums_will_do(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    found = hashlib.sha256(b"content").hexdigest()
    assert check_file(path, frozenset({"0" * 64, found})) == found
    with pytest.raises(CorruptModel, match=f"its sha256 is {found}, not {'0' * 64}"):
        check_file(path, frozenset({"0" * 64}))


def test_without_a_checksum_the_header_decides(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    assert check_file(path, frozenset()) == hash_file(path)
    path.write_bytes(path.read_bytes()[:-64])
    with pytest.raises(CorruptModel, match="ends at byte"):
        check_file(path, frozenset())
