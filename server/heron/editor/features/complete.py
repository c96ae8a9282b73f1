"""Inline completion: from a frozen snapshot to the texts to insert, or to silence."""

import asyncio
import time
from contextlib import suppress
from functools import partial

from heron.editor.context.assemble import Beyond
from heron.editor.context.build import Context
from heron.editor.context.surroundings import Surroundings
from heron.editor.features.ahead import Ahead
from heron.editor.features.ask import Ask
from heron.editor.features.candidates import Candidate, draw, in_order, judge
from heron.editor.features.contexts import PATIENCE_MS, Contexts
from heron.editor.features.flight import LINGER_S, Flight
from heron.editor.features.infill import Asking, make_infill
from heron.editor.features.place import Place, find_place
from heron.editor.features.rejected import Rejected
from heron.editor.features.rhythm import Rhythm
from heron.editor.features.silence import Silence
from heron.editor.features.source import TokenSource
from heron.editor.features.supersede import Turns
from heron.editor.features.timings import Timings
from heron.editor.features.typed_through import Offer, TypedThrough
from heron.editor.features.warming import Warming, Wish
from heron.editor.features.warmth import Warmth
from heron.errors import HeronError, ModelNotReady
from heron.wire import ModelInfo

REST_S = 0.15
"""How long a cursor stays where it is before the place is warmed."""

Texts = tuple[str, ...]
"""What may be inserted, the best first; empty where silence is better."""


class Completer:
    """Answers requests for completions; at most one a lane runs, on at most one stream."""

    def __init__(self, source: TokenSource, surroundings: Surroundings) -> None:
        self._source = source
        self._contexts = Contexts(surroundings)
        self._turns = Turns()
        self._offers = TypedThrough()
        self._rejected = Rejected()
        self._silence = Silence()
        self._flights: dict[tuple[str, bool], Flight] = {}
        self._warmth = Warmth()
        self._warming = Warming(source, self._warmth)
        self._rhythm = Rhythm()
        self._ahead = Ahead(self._begin_ahead)

    def rest(self, ask: Ask) -> None:
        """The cursor came to a place: have the server read it if it stays there."""
        if ask.settings.warm:
            self._warming.start(Wish(partial(self._contexts.look_and_build, ask), ask.wait_ready, REST_S))

    async def complete(self, ask: Ask, timings: Timings) -> Texts:
        """The texts to insert at the cursor; more than one only where the user asked for it.

        A newer call in the same lane cancels the older, but goes on with its stream where what was typed since
        agrees with it. Raises a HeronError or TimeoutError if the server fails.
        """
        with self._turns.take(ask.lane):
            try:
                async with asyncio.timeout(ask.settings.timeout_ms / 1000):
                    return await self._complete(ask, timings)
            except asyncio.CancelledError:
                timings.outcome = "cancelled" if self._turns.is_current(ask.lane) else "superseded"
                raise

    async def explain(self, ask: Ask) -> tuple[Context, Beyond]:
        """What a completion would be asked with, and what it would be shown of other files and why."""
        return await self._contexts.explain(ask)

    def dismiss(self, uri: str) -> None:
        """What is shown in a document was sent away: it is not offered again there, nor what is left of it."""
        self._offers.forget(uri)
        self._rejected.dismiss(uri)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._offers.forget(uri)
        self._rejected.forget(uri)
        self._silence.forget(uri)
        self._contexts.forget(uri)
        for lane in [lane for lane in self._flights if lane[0] == uri]:
            self._flights.pop(lane).close()

    def close(self) -> None:
        """End all streams."""
        self._warming.stop()
        self._ahead.stop()
        self._contexts.close()
        for flight in self._flights.values():
            flight.close()
        self._flights.clear()

    async def _complete(self, ask: Ask, timings: Timings) -> Texts:
        uri, place = ask.document.uri, find_place(ask.document, ask.position)
        self._rhythm.note_key(time.monotonic())
        self._rejected.move(uri, place)
        text = self._offers.find(uri, place)
        if text and not ask.invoked:
            timings.outcome = "typed_through"
            return (text,)
        self._ahead.stop()
        adopted = await self._adopt(ask, place, timings)
        if not (adopted or ask.invoked) and self._silence.is_at(uri, place):
            timings.reason = "nothing fitted a moment ago"
            return ()
        texts = (adopted,) if adopted and not ask.invoked else await self._generate(ask, place, timings)
        texts = texts or ((text,) if text else ())
        if not texts and timings.window == "full":
            self._silence.note(uri, place)
        if texts and not ask.invoked and (reason := self._doubt(ask, place, texts[0], timings)):
            timings.reason = reason
            return ()
        self._show(uri, place, texts, timings)
        if texts and ask.settings.ahead:
            self._ahead.start(ask, texts[0])
        return texts

    def _doubt(self, ask: Ask, place: Place, text: str, timings: Timings) -> str:
        """Why a text is better not shown to somebody who did not ask; empty if it is."""
        if self._rejected.has(ask.document.uri, place, text):
            return "rejected a moment ago"
        chance = 1.0 if timings.chance is None else timings.chance
        return "not sure enough" if chance < ask.settings.least_chance else ""

    def _show(self, uri: str, place: Place, texts: Texts, timings: Timings) -> None:
        if texts:
            timings.outcome = "shown"
            for text in reversed(texts):
                self._offers.add(uri, Offer(place, text))
            self._rejected.show(uri, Offer(place, texts[0]))

    async def _begin_ahead(self, ask: Ask) -> None:
        """Ask in the background, unless the place is so cold that it would keep the machine busy."""
        context = self._contexts.build(ask)
        if context.shape == "none" or self._warmth.wait_ms(context) > PATIENCE_MS:
            return
        with suppress(HeronError):
            model = await self._source.model()
            if model.supports_fim:
                asking = Asking(ask.settings.max_tokens, "background")
                deltas = self._source.complete(make_infill(model, context, asking))
                place = find_place(ask.document, ask.position)
                self._flights[ask.lane] = Flight(place, context, deltas)

    async def _adopt(self, ask: Ask, place: Place, timings: Timings) -> str | None:
        """Go on with a stream of the document that covers `place`; one of this lane that does not is ended."""
        own = self._flights.get(ask.lane)
        if own is not None and not own.covers(place):
            own.close()
        running = (flight for (uri, _), flight in self._flights.items() if uri == ask.document.uri)
        flight = next((one for one in running if one.covers(place)), None)
        if flight is None:
            return None
        timings.adopted = True
        text = await self._follow(flight, place, timings)
        timings.adopted = text is not None
        return text

    async def _generate(self, ask: Ask, place: Place, timings: Timings) -> Texts:
        if ask.settings.debounce_ms and not ask.invoked:
            await asyncio.sleep(ask.settings.debounce_ms / 1000)
            timings.mark("debounce")
        context = await self._contexts.look_and_build(ask)
        timings.reason = context.reason
        timings.mark("context")
        if context.shape == "none":
            return ()
        if not await ask.wait_ready():
            raise ModelNotReady("The model is not ready yet.")
        model = await self._source.model()
        if not ask.invoked and not model.supports_fim:  # ours keeps what it read for a request that was dropped
            await asyncio.sleep(self._rhythm.delay_s)
        timings.mark("wait")
        flight = self._launch(ask, place, context, model)
        timings.window = "full" if flight.context is context else "short"
        try:
            text = await self._follow(flight, place, timings)
        finally:
            self._rhythm.note_answer(time.perf_counter() - flight.began)
            if flight.context is not context or flight.read_s is None:
                delay_s = 0.0 if flight.is_done else LINGER_S
                self._warming.start(Wish(partial(_give, context), ask.wait_ready, delay_s))
        return await self._compare(ask, flight, model, text, timings)

    def _launch(self, ask: Ask, place: Place, context: Context, model: ModelInfo) -> Flight:
        """Begin to ask for a context, or for a part of it that can be had soon."""
        self._warming.stop()
        chosen = self._contexts.shorten(ask, context, self._warmth) if model.supports_fim else context
        deltas = self._source.complete(make_infill(model, chosen, Asking(ask.settings.max_tokens)))
        flight = self._flights[ask.lane] = Flight(place, chosen, deltas)
        return flight

    async def _follow(self, flight: Flight, place: Place, timings: Timings) -> str | None:
        try:
            return await flight.follow(place)
        finally:
            timings.usage = flight.answer.usage
            timings.chance = flight.answer.chance if flight.is_done else None
            timings.mark_first_token(flight.first_text_at)
            timings.mark("model")
            if flight.read_s is not None:
                self._warmth.note(flight.context, flight.answer.usage, flight.read_s)

    async def _compare(self, ask: Ask, flight: Flight, model: ModelInfo, text: str | None, timings: Timings) -> Texts:
        """The text, with others to choose from, or in the place of a block that does not go with what is below."""
        first = judge(flight.answer) if flight.is_done else None
        is_poor = flight.context.shape == "block" and _is_poor(flight, first)
        if not (ask.invoked or is_poor) or not model.supports_fim or not ask.settings.alternatives:
            return (text,) if text else ()
        asking = Asking(ask.settings.max_tokens)
        drawn = await draw(self._source, model, flight.context, asking, ask.settings.alternatives)
        timings.mark("alternatives")
        known = [first] if first is not None else []
        known = in_order([*known, *drawn]) if is_poor else [*known, *in_order(drawn)]
        timings.chance = known[0].chance if known else None
        texts = tuple(dict.fromkeys(candidate.text for candidate in known))
        return texts if ask.invoked else texts[:1]


def _is_poor(flight: Flight, first: Candidate | None) -> bool:
    """Whether an answer was there and nothing of it fits, or what is left does not go with the code around it."""
    if not flight.is_done:
        return False
    return bool(flight.answer.text.strip()) if first is None else not first.fits


async def _give(context: Context) -> Context:
    return context
