"""What an action is: when it is offered, without the model, and how its edits come about, with it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from heron.editor.document import Document
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.writer import Writer

Kind = Literal["", "quickfix", "refactor.rewrite", "refactor.extract", "source"]


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry of the menu. `diagnostic` is the number of the one it mends; `detail` comes back when it is chosen.

    With `command` choosing it runs that command and changes nothing by itself. With `creates` it may make a file.
    Without `needs_model` no model takes part.
    """

    title: str
    kind: Kind
    diagnostic: int | None = None
    preferred: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    creates: bool = False
    needs_model: bool = True


@dataclass(frozen=True, slots=True)
class Files:
    """What an action may know of other files, by URI. `read` gives the document, open or on disk, or None."""

    exists: Callable[[str], bool] = lambda uri: False
    read: Callable[[str], Document | None] = lambda uri: None


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer that was chosen: where, and what the offer wanted to know again."""

    spot: Spot
    detail: Mapping[str, Any] = field(default_factory=dict)
    files: Files = Files()


@dataclass(frozen=True, slots=True)
class Action:
    """`offer` is quick and pure; `propose` raises `EditRefused` where nothing good comes of it."""

    name: str
    kind: Kind
    offer: Callable[[Spot], Iterable[Offer]]
    propose: Callable[[Choice, Writer], Awaitable[Proposal]]
