"""Who completes; `client.Client` is one."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Protocol

from heron.editor.client.client import Infill
from heron.wire import Delta, ModelInfo


class TokenSource(Protocol):
    """Gives the tokens of completions, and says which model makes them."""

    def model(self) -> Awaitable[ModelInfo]: ...

    def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]: ...
