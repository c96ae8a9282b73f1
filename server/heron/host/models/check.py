"""Is a file what it should be? Its size, its sha256, its header."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from heron.errors import CorruptModel
from heron.host.models.gguf import open_gguf

_BLOCK_BYTES = 4 << 20


def hash_file(path: Path, report: Callable[[int], None] | None = None) -> str:
    """The sha256 of a file in hexadecimal; `report` is told the bytes read so far."""
    digest = hashlib.sha256()
    done_bytes = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done_bytes += len(block)
            if report:
                report(done_bytes)
    return digest.hexdigest()


def check_file(path: Path, checksums: frozenset[str], report: Callable[[int], None] | None = None) -> str:
    """The file's sha256, which is one of `checksums`; where none is known, the file must at least be a whole GGUF.

    Raises CorruptModel with both sums, or what is wrong with the header.
    """
    found = hash_file(path, report)
    if checksums and found not in checksums:
        expected = " or ".join(sorted(checksums))
        raise CorruptModel(f"{path} is not the file it should be: its sha256 is {found}, not {expected}.")
    if not checksums:
        open_gguf(path)
    return found
