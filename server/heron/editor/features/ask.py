"""One request for a completion."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heron.editor.document import Document, Position
from heron.settings import CompletionSettings


@dataclass(frozen=True, slots=True)
class Ask:
    """The document as it was when the request came, and the cursor in it.

    `wait_ready` waits for a model as long as this request may, and says whether there is one. `invoked`: the user asked
    for it, so that it may take longer and offer several texts. `popup`: it is for the editor's completion popup.
    """

    document: Document
    position: Position
    settings: CompletionSettings
    wait_ready: Callable[[], Awaitable[bool]]
    invoked: bool = False
    popup: bool = False

    @property
    def lane(self) -> tuple[str, bool]:
        """Requests of one lane end one another; the popup and the text drawn inline are asked for side by side."""
        return self.document.uri, self.popup
