"""From a file on disk to its row and facts, or to why it has none."""

import hashlib
from dataclasses import replace
from pathlib import Path

from heron.editor.context.index.facts import Facts, read_facts
from heron.editor.context.index.store import FileRow
from heron.editor.document import Document
from heron.editor.workspace.file_kinds import is_binary, is_generated
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.opening import read_bytes
from heron.editor.workspace.walk import MAX_FILE_BYTES, Found
from heron.errors import HeronError


def read_file(
    workspace: Workspace, found: Found, known_hash: bytes | None = None
) -> tuple[FileRow, Facts | None] | None:
    """Row and facts of a file that the walk found; facts are None if its content is as `known_hash` says.

    None for a file that cannot be read any more.
    """
    try:
        content = read_bytes(workspace, Path(found.path), MAX_FILE_BYTES + 1)
    except HeronError:
        return None
    row = FileRow(found.path, found.size, found.mtime_ns, hash_content(content))
    if row.hash == known_hash:
        return row, None
    if skipped := _why_skipped(content):
        return replace(row, skipped=skipped), None
    document = Document(found.path, 0, "", content.decode("utf-8", "replace"))
    return row, read_facts(document)


def hash_content(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _why_skipped(content: bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        return "large"
    if is_binary(content):
        return "binary"
    return "generated" if is_generated(content) else ""
