"""What an action proposes: changes to documents, offered and never made by Heron itself."""

from dataclasses import dataclass

from heron.editor.document import Document, Edit


@dataclass(frozen=True, slots=True)
class FileChange:
    """Edits of one document. `version` is the one they were made for, None for a file that is not open.

    With `creates` the file does not exist yet, and the edits fill it.
    """

    uri: str
    version: int | None
    edits: tuple[Edit, ...]
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """Changes that belong together. `label` says in a few words what they do."""

    label: str
    changes: tuple[FileChange, ...]


def change_document(document: Document, label: str, edits: tuple[Edit, ...]) -> Proposal:
    """A proposal that edits one open document."""
    return Proposal(label, (FileChange(document.uri, document.version, edits),))
