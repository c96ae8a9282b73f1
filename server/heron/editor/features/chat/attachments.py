"""What a client attaches to a question."""

from dataclasses import dataclass

from heron.editor.document import Document, Range


@dataclass(frozen=True, slots=True)
class AttachedSelection:
    """Lines of an open document; `path` is how it is shown."""

    document: Document
    range: Range


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file by URI or path; `range` None is all of it, as far as it fits."""

    path: str
    range: Range | None = None


@dataclass(frozen=True, slots=True)
class AttachedSymbol:
    name: str


@dataclass(frozen=True, slots=True)
class AttachedDiagnostics:
    """What is reported of a document; with a range only what touches it."""

    uri: str
    range: Range | None = None


Attachment = AttachedSelection | AttachedFile | AttachedSymbol | AttachedDiagnostics
