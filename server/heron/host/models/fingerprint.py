"""What tells a model's file from another of the same name, without reading it."""

import hashlib
import os
from pathlib import Path


def fingerprint(path: Path) -> str:
    """A digest of names, sizes and modification times of a file, or of all files in a folder."""
    below = (Path(parent, name) for parent, _, names in os.walk(path) for name in names)
    found = [path] if path.is_file() else sorted(below)
    digest = hashlib.blake2b(digest_size=16)
    for one in found:
        about = one.stat()
        digest.update(f"{one.name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()
