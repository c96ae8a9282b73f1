"""What a compiler, linter or language server says about a place in a document, in Heron's own terms."""

from dataclasses import dataclass
from typing import Literal

from heron.editor.document import Range

Severity = Literal["error", "warning", "information", "hint"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `source` names who made it (`mypy`, `rustc`), `code` the rule as they call it; both may be empty."""

    range: Range
    message: str
    severity: Severity = "error"
    source: str = ""
    code: str = ""
