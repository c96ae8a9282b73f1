"""Who uses the host while it is hurt: streams by the editor's own client, and chats in real language servers."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import psutil

from bench.outages.place import Place
from heron.commands.client import Client as Editor
from heron.commands.client import Cursor, open_client, open_document
from heron.commands.rpc import PeerError
from heron.commands.talk import Talk, begin_talk
from heron.editor.client.client import Client, Infill
from heron.editor.client.resume import Told
from heron.errors import HeronError, ModelNotReady, SystemFault
from heron.wire import Delta

HANG_S = 40.0
"""Who waits for so long for the end of one answer counts as hung, however many injuries it lived through."""
_RETRY_S = 0.1
_PROMPTS = tuple(f"def {name}(items):\n    " for name in ("total", "largest", "without", "by_name", "first", "sort"))
QUESTIONS = ("Write one sentence about herons.", "What is a list in Python? Answer briefly.")
_ENDED = (SystemFault, ConnectionError, psutil.Error)


@dataclass(slots=True)
class Tally:
    """What came of everything. `done` counts what each user came to the end of."""

    done: Counter[str] = field(default_factory=Counter)
    waits_s: list[float] = field(default_factory=list)
    """How long each answer took, from the question to its end."""
    answers: int = 0
    resumed: int = 0
    disconnects: int = 0
    turns: int = 0
    cut_off_turns: int = 0
    completions: int = 0
    retries: int = 0
    wrong: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Turns whose user was told of an error."""

    def note_done(self, user: str, began_s: float) -> None:
        """A user has come to the end of an answer asked for then."""
        self.done[user] += 1
        self.waits_s.append(time.monotonic() - began_s)
        if self.waits_s[-1] > HANG_S:
            self.hung.append(f"{user} waited for {self.waits_s[-1]:.1f} s")


@dataclass(slots=True)
class Reference:
    """Undisturbed answers: of each prompt, and of the questions in their order."""

    texts: dict[tuple[str, int], str] = field(default_factory=dict)
    turns: list[str] = field(default_factory=list)


def ask_of(prompt: str, seed: int) -> Infill:
    """A greedy question for seed 0, else a sampled one that gives the same each time."""
    return Infill(prompt, None, 32, temperature=0.0 if not seed else 0.8, seed=seed)


async def read_insistently(client: Client, ask: Infill, tally: Tally) -> AsyncGenerator[Delta, None]:
    """An answer over the hosts that give it, as chat in the language server reads it."""
    told = Told()
    while True:
        told.begin()
        try:
            async with aclosing(client.complete(ask)) as deltas:
                async for delta in deltas:
                    if (fresh := told.pass_on(delta)) is not None:
                        yield fresh
            return
        except HeronError as error:
            tally.retries += 1
            tally.resumed += bool(told.text) and not isinstance(error, ModelNotReady)
            await asyncio.sleep(_RETRY_S)


async def stream(place: Place, reference: Reference, tally: Tally, seed: int) -> None:
    """Ask without end, one question after the other; leave some answers in their middle."""
    rng, client = random.Random(seed), open_stream_client(place)
    try:
        while True:
            key = rng.choice(list(reference.texts))
            leave_after = rng.randrange(1, 20) if rng.random() < 0.2 else None
            text, count, began_s = "", 0, time.monotonic()
            async with aclosing(read_insistently(client, ask_of(*key), tally)) as deltas:
                async for delta in deltas:
                    text, count = text + delta.text, count + 1
                    if count == leave_after:
                        break
            tally.note_done(f"stream {seed}", began_s)
            note_text(reference, key, text, count == leave_after, tally)
            await asyncio.sleep(rng.uniform(0.1, 0.5))
    finally:
        await client.close()


def note_text(reference: Reference, key: tuple[str, int], text: str, has_left: bool, tally: Tally) -> None:
    whole = reference.texts[key]
    tally.disconnects += has_left
    tally.answers += not has_left
    if not (whole.startswith(text) if has_left else text == whole):
        tally.wrong.append(f"{key[0]!r}, seed {key[1]}: {text!r} for {whole!r}")


def open_stream_client(place: Place) -> Client:
    return Client(lambda: asyncio.to_thread(place.connect), lambda: place.model)


@dataclass(slots=True)
class Chatter:
    """An editor that chats, and now and then completes. It begins again when its server is killed."""

    place: Place
    reference: Reference
    tally: Tally
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Answers that were told to be complete, by conversation."""

    async def run(self) -> None:
        while True:
            try:
                async with open_client(self.place.workspace) as editor:
                    await self._use(editor)
            except _ENDED:
                await asyncio.sleep(_RETRY_S)

    async def _use(self, editor: Editor) -> None:
        await self.check(editor)
        while True:
            await self._converse(editor)
            await self._complete(editor)

    async def check(self, editor: Editor) -> None:
        """Every turn that was told to be complete is kept as it was told."""
        for conversation_id, answers in self.kept.items():
            talk = await begin_talk(editor, conversation_id)
            found = [turn["answer"] for turn in talk.turns if turn["state"] == "complete"]
            if found[: len(answers)] != answers:
                self.tally.lost.append(f"{conversation_id}: {len(answers)} turns, {len(found)} found")
            for turn, expected in zip(talk.turns, self.reference.turns, strict=False):
                if not expected.startswith(turn["answer"]):
                    self.tally.wrong.append(f"{conversation_id}: kept {turn['answer']!r} for {expected!r}")

    async def _converse(self, editor: Editor) -> None:
        talk = await begin_talk(editor)
        answers = self.kept.setdefault(talk.id, [])
        for question, expected in zip(QUESTIONS, self.reference.turns, strict=True):
            began_s = time.monotonic()
            try:
                answer = (await ask(talk, question))["answer"]
            except PeerError as error:
                self.tally.failed.append(f"a turn failed: {error.message[:200]}")
                await asyncio.sleep(_RETRY_S)
                return
            except SystemFault:  # the server was killed: what there was of the turn is looked at later
                self.tally.cut_off_turns += 1
                if not answers:
                    del self.kept[talk.id]
                raise
            answers.append(answer)
            self.tally.turns += 1
            self.tally.note_done("editor", began_s)
            if answer != expected:
                self.tally.wrong.append(f"turn: {answer!r} for {expected!r}")

    async def _complete(self, editor: Editor) -> None:
        document = open_document(self.place.workspace / "a.py", "def add_all(numbers):\n    ")
        await editor.complete(Cursor(document, document.position(len(document.text))))
        self.tally.completions += 1


async def ask(talk: Talk, question: str) -> dict[str, str]:
    return await talk.ask(question, lambda value: None)


async def make_reference(place: Place) -> Reference:
    """The answers of an undisturbed host."""
    reference, client = Reference(), open_stream_client(place)
    tally = Tally()
    for prompt in _PROMPTS:
        for seed in (0, 7):
            text = ""
            async with aclosing(read_insistently(client, ask_of(prompt, seed), tally)) as deltas:
                async for delta in deltas:
                    text += delta.text
            reference.texts[prompt, seed] = text
    await client.close()
    async with open_client(place.workspace) as editor:
        talk = await begin_talk(editor)
        reference.turns = [(await ask(talk, question))["answer"] for question in QUESTIONS]
    return reference
