"""A host's answers kept in a file: each is asked for once, so that other filters can be tried offline."""

import asyncio
import hashlib
import json
import math
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.ready_client import open_ready_client
from heron.editor.client.client import Client, Infill
from heron.errors import HostUnreachable
from heron.wire import Delta, ModelInfo, TokenLogprob


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of an answer; `whole` unless it was left before its end."""

    deltas: tuple[Delta, ...] = ()
    whole: bool = False

    @property
    def length(self) -> int:
        return sum(len(delta.text) for delta in self.deltas)


class RecordedSource:
    """Answers from a file of JSON lines; what it lacks is asked of the host of HERON_HOME and added to it.

    One file holds the answers of one model. Without a path nothing is kept. Of an answer that is left before its end
    that much is kept; who wants more of it has it asked for again. After so many `seconds` nothing more is asked: what
    is lacking raises.
    """

    def __init__(self, path: Path | None, seconds: float = math.inf) -> None:
        self.missed = 0
        self._path = path
        self._until = time.monotonic() + seconds
        self._model, self._answers = _read(path)
        self._opening: asyncio.Task[Client] | None = None

    async def model(self) -> ModelInfo:
        """The model of the file; of the host where the file is new."""
        if self._model is None:
            self._model = await (await self._client()).model()
            model = self._model
            kept = {"id": model.id, "context_window": model.context_window, "supports_fim": model.supports_fim}
            self._write({"model": kept})
        return self._model

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        """The deltas of an answer, kept ones first."""
        key = hashlib.sha256(json.dumps(asdict(infill)).encode()).hexdigest()[:24]
        kept = self._answers.get(key, Kept())
        for delta in kept.deltas:
            yield delta
        if not kept.whole:
            self._check_time()
            async with aclosing(self._ask(key, infill)) as deltas:
                async for delta in _beyond(deltas, kept.length):
                    yield delta

    async def close(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            await (await self._opening).close()

    def _check_time(self) -> None:
        if time.monotonic() >= self._until:
            self.missed += 1
            raise HostUnreachable("the time to ask is over")

    async def _ask(self, key: str, infill: Infill) -> AsyncGenerator[Delta, None]:
        """The host's answer from its beginning; as much as was taken is kept."""
        client = await self._client()
        if (found := await client.model()).id != (wanted := await self.model()).id:
            raise SystemExit(f"The host has {found.id}, the answers in {self._path} are of {wanted.id}.")
        taken: list[Delta] = []
        try:
            async with aclosing(client.complete(infill)) as deltas:
                async for delta in deltas:
                    taken.append(delta)
                    yield delta
        finally:
            self._keep(key, taken)

    def _keep(self, key: str, deltas: Sequence[Delta]) -> None:
        kept = Kept(tuple(deltas), whole=_has_end(deltas))
        if kept.whole or kept.length > self._answers.get(key, Kept()).length:
            self._answers[key] = kept
            self._write({"key": key, "whole": kept.whole, "deltas": [_plain(delta) for delta in deltas]})

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.create_task(open_ready_client())
        return await asyncio.shield(self._opening)

    def _write(self, row: dict[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def _read(path: Path | None) -> tuple[ModelInfo | None, dict[str, Kept]]:
    text = path.read_text(encoding="utf-8") if path is not None and path.exists() else ""
    rows = [json.loads(line) for line in text.splitlines()]
    models = [ModelInfo(**row["model"]) for row in rows if "model" in row]
    answers = {row["key"]: _kept(row) for row in rows if "key" in row}
    return (models[0] if models else None), answers


def _kept(row: dict[str, Any]) -> Kept:
    deltas = tuple(map(_delta, row["deltas"]))
    return Kept(deltas, row.get("whole", True) or _has_end(deltas))


def _has_end(deltas: Sequence[Delta]) -> bool:
    """Whether an answer was read to its end; a delta that tells the usage may come behind it."""
    return any(delta.finish_reason is not None for delta in deltas)


async def _beyond(deltas: AsyncGenerator[Delta, None], length: int) -> AsyncGenerator[Delta, None]:
    """What comes behind so many characters, which were given before."""
    async for delta in deltas:
        given, length = min(length, len(delta.text)), max(0, length - len(delta.text))
        if given < len(delta.text) or delta.finish_reason is not None:
            yield replace(delta, text=delta.text[given:], logprobs=_tokens_beyond(delta.logprobs, given))


def _tokens_beyond(tokens: Sequence[TokenLogprob], length: int) -> tuple[TokenLogprob, ...]:
    ends = accumulate(len(token.text) for token in tokens)
    return tuple(token for token, end in zip(tokens, ends, strict=True) if end > length)


def _plain(delta: Delta) -> list[Any]:
    return [delta.text, [[token.text, token.token_id, token.logprob] for token in delta.logprobs], delta.finish_reason]


def _delta(plain: list[Any]) -> Delta:
    text, logprobs, finish_reason = plain
    return Delta(text, finish_reason, logprobs=tuple(TokenLogprob(*token) for token in logprobs))
