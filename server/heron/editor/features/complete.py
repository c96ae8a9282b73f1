"""Inline completion: from a frozen snapshot to the text to insert, or to silence."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from heron.editor.client.client import Infill
from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.context.estimate import estimate_tokens
from heron.editor.document import Document, Position
from heron.editor.features.flight import Flight
from heron.editor.features.place import Place, find_place
from heron.editor.features.supersede import Turns
from heron.editor.features.timings import Timings
from heron.editor.features.typed_through import Offer, TypedThrough
from heron.editor.prompt.fim import render_fim
from heron.editor.syntax.tree import Tree, parse
from heron.editor.workspace.redact import redact
from heron.errors import ModelNotReady
from heron.settings import CompletionSettings
from heron.wire import Delta, ModelInfo


class TokenSource(Protocol):
    """Who completes; `client.Client` is one."""

    def model(self) -> Awaitable[ModelInfo]: ...

    def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the document as it was when the request came, and the cursor in it.

    `wait_ready` waits for a model as long as this request may, and says whether there is one.
    """

    document: Document
    position: Position
    settings: CompletionSettings
    wait_ready: Callable[[], Awaitable[bool]]


class Completer:
    """Answers requests for completions; at most one a document runs, on at most one stream."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self._turns = Turns()
        self._offers = TypedThrough()
        self._flights: dict[str, Flight] = {}
        self._trees: dict[str, Tree] = {}

    async def complete(self, ask: Ask, timings: Timings) -> str | None:
        """The text to insert at the cursor, None where silence is better.

        A newer call for the same document cancels the older, but goes on with its stream where what was typed since
        agrees with it. Raises a HeronError or TimeoutError if the server fails.
        """
        uri = ask.document.uri
        with self._turns.take(uri):
            try:
                async with asyncio.timeout(ask.settings.timeout_ms / 1000):
                    return await self._complete(ask, timings)
            except asyncio.CancelledError:
                timings.outcome = "cancelled" if self._turns.is_current(uri) else "superseded"
                raise

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._offers.forget(uri)
        self._trees.pop(uri, None)
        if flight := self._flights.pop(uri, None):
            flight.close()

    def close(self) -> None:
        """End all streams."""
        for flight in self._flights.values():
            flight.close()
        self._flights.clear()

    async def _complete(self, ask: Ask, timings: Timings) -> str | None:
        uri, place = ask.document.uri, find_place(ask.document, ask.position)
        if text := self._offers.find(uri, place):
            timings.outcome = "typed_through"
            return text
        text = await self._adopt(uri, place, timings) or await self._generate(ask, place, timings)
        if text:
            timings.outcome = "shown"
            self._offers.add(uri, Offer(place, text))
        return text

    async def _adopt(self, uri: str, place: Place, timings: Timings) -> str | None:
        """Go on with the stream that runs for the document if it covers `place`, else end it."""
        flight = self._flights.get(uri)
        if flight is None:
            return None
        if not flight.covers(place):
            flight.close()
            return None
        timings.adopted = True
        text = await self._follow(flight, place, timings)
        timings.adopted = text is not None
        return text

    async def _generate(self, ask: Ask, place: Place, timings: Timings) -> str | None:
        if ask.settings.debounce_ms:
            await asyncio.sleep(ask.settings.debounce_ms / 1000)
            timings.mark("debounce")
        context = self._build_context(ask)
        timings.reason = context.reason
        timings.mark("context")
        if context.shape == "none":
            return None
        if not await ask.wait_ready():
            raise ModelNotReady("The model is not ready yet.")
        model = await self._source.model()
        timings.mark("wait")
        deltas = self._source.complete(_infill(model, context, ask.settings))
        flight = self._flights[ask.document.uri] = Flight(place, context, deltas)
        return await self._follow(flight, place, timings)

    async def _follow(self, flight: Flight, place: Place, timings: Timings) -> str | None:
        try:
            return await flight.follow(place)
        finally:
            timings.usage = flight.usage
            timings.mark_first_token(flight.first_text_at)
            timings.mark("model")

    def _build_context(self, ask: Ask) -> Context:
        settings = ask.settings
        tree = self._parse(ask.document)
        budget = Budget(settings.prefix_tokens, settings.suffix_tokens, estimate_tokens)
        return build_context(ask.document, ask.position, tree, budget)

    def _parse(self, document: Document) -> Tree | None:
        """The document's tree, made from the one of the version before."""
        tree = self._trees.get(document.uri)
        if tree is None or tree.document is not document:
            tree = parse(document, tree)
        if tree is not None:
            self._trees[document.uri] = tree
        return tree


def _infill(model: ModelInfo, context: Context, settings: CompletionSettings) -> Infill:
    """Let the server fill in if it says it can, else write the model's own marks into the prompt. No secret goes in."""
    prefix, suffix = redact(context.prefix), redact(context.suffix)
    if model.supports_fim:
        return Infill(prefix, suffix, settings.max_tokens, context.stop)
    prompt = render_fim(model, prefix, suffix)
    return Infill(prompt, None, settings.max_tokens, context.stop)
