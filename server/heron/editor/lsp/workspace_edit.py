"""A proposal as LSP's WorkspaceEdit, in the form the client says it understands. LSP 3.18, "WorkspaceEdit"."""

from collections.abc import Callable
from dataclasses import dataclass

from lsprotocol import types

from heron.editor.document import Document
from heron.editor.features.actions.proposal import FileChange, Proposal
from heron.editor.lsp.convert import Encoding, from_position

_ANNOTATION = "heron"


@dataclass(frozen=True, slots=True)
class EditSupport:
    """What the client can take. Annotations need versioned document changes."""

    document_changes: bool = False
    create_files: bool = False
    annotations: bool = False
    metadata: bool = False


def edit_support(capabilities: types.ClientCapabilities) -> EditSupport:
    """Read the client's capabilities; what it does not mention it does not have."""
    edit = capabilities.workspace and capabilities.workspace.workspace_edit
    if not edit:
        return EditSupport()
    changes = bool(edit.document_changes)
    operations = edit.resource_operations or ()
    return EditSupport(
        changes,
        changes and types.ResourceOperationKind.Create in operations,
        changes and edit.change_annotation_support is not None,
        bool(edit.metadata_support),
    )


@dataclass(frozen=True, slots=True)
class EditWriter:
    """Writes proposals for one client. `find` gives the open document of a URI, or None."""

    support: EditSupport
    encoding: Encoding
    find: Callable[[str], Document | None]

    def write(self, proposal: Proposal) -> types.WorkspaceEdit:
        """The edit. With annotations the user sees what wrote it and may be asked first."""
        if not self.support.document_changes:
            changes = {change.uri: self._plain_edits(change) for change in proposal.changes}
            return types.WorkspaceEdit(changes=changes)
        annotations = {_ANNOTATION: types.ChangeAnnotation(proposal.label, False, "Written by a language model")}
        return types.WorkspaceEdit(
            document_changes=[item for change in proposal.changes for item in self._document_changes(change)],
            change_annotations=annotations if self.support.annotations else None,
        )

    def _document_changes(self, change: FileChange) -> list[types.CreateFile | types.TextDocumentEdit]:
        target = types.OptionalVersionedTextDocumentIdentifier(uri=change.uri, version=change.version)
        edits = types.TextDocumentEdit(target, self._text_edits(change))
        if not change.creates:
            return [edits]
        return [types.CreateFile(change.uri, options=types.CreateFileOptions(ignore_if_exists=True)), edits]

    def _text_edits(self, change: FileChange) -> list[types.TextEdit | types.AnnotatedTextEdit]:
        plain = self._plain_edits(change)
        if not self.support.annotations:
            return [*plain]
        return [types.AnnotatedTextEdit(_ANNOTATION, edit.range, edit.new_text) for edit in plain]

    def _plain_edits(self, change: FileChange) -> list[types.TextEdit]:
        document = self.find(change.uri) or Document(change.uri, 0, "", "")
        return [
            types.TextEdit(
                types.Range(*(from_position(document, p, self.encoding) for p in (edit.range.start, edit.range.end))),
                edit.new_text,
            )
            for edit in change.edits
        ]
