"""Unsaved text over the index: open documents as they are now, in a small index of their own in memory."""

import threading
from pathlib import Path

from heron.editor.context.index import schema, store
from heron.editor.context.index.facts import read_facts
from heron.editor.context.index.store import FileRow
from heron.editor.document import Document


class Overlay:
    """What is known of open documents; it hides what the index says of the same paths."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.base = schema.open_in_memory()
        self._versions: dict[str, int] = {}

    @property
    def paths(self) -> frozenset[str]:
        with self.lock:
            return frozenset(self._versions)

    def put(self, path: Path, document: Document) -> None:
        """Take a document's text for what is at a path; one older than what is known is ignored."""
        key = str(path)
        if self._versions.get(key, document.version - 1) >= document.version:
            return
        facts = read_facts(document)  # outside of the lock: it may take a while
        with self.lock, store.transaction(self.base):
            store.put_file(self.base, FileRow(key, len(document.text), 0, b""), facts)
            self._versions[key] = document.version

    def drop(self, path: Path) -> None:
        """What is on disk counts again."""
        with self.lock, store.transaction(self.base):
            store.remove_files(self.base, [str(path)])
            self._versions.pop(str(path), None)

    def close(self) -> None:
        with self.lock:
            self.base.close()
