"""A host's answers kept in a file: each is asked for once and whole, so that other filters can be tried offline."""

import asyncio
import hashlib
import json
import math
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.ready_client import open_ready_client
from heron.editor.client.client import Client, Infill
from heron.errors import HostUnreachable
from heron.wire import Delta, ModelInfo, TokenLogprob


class RecordedSource:
    """Answers from a file of JSON lines; what it lacks is asked of the host of HERON_HOME and added to it.

    One file holds the answers of one model. Without a path nothing is kept. An answer that nobody waits for any more
    is still read to its end and kept. After so many `seconds` nothing more is asked: what is lacking raises.
    """

    def __init__(self, path: Path | None, seconds: float = math.inf) -> None:
        self.missed = 0
        self._path = path
        self._until = time.monotonic() + seconds
        self._model, self._answers = _read(path)
        self._asking: dict[str, asyncio.Task[tuple[Delta, ...]]] = {}
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
        """All deltas of an answer, once it is whole."""
        key = hashlib.sha256(json.dumps(asdict(infill)).encode()).hexdigest()[:24]
        if key not in self._answers:
            if key not in self._asking:
                self._check_time()
                self._asking[key] = asyncio.create_task(self._ask(key, infill))
            self._answers[key] = await asyncio.shield(self._asking[key])
        for delta in self._answers[key]:
            yield delta

    async def close(self) -> None:
        """Wait for what is being asked, and close the connection."""
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        if self._opening is not None:
            await (await self._opening).close()

    def _check_time(self) -> None:
        if time.monotonic() >= self._until:
            self.missed += 1
            raise HostUnreachable("the time to ask is over")

    async def _ask(self, key: str, infill: Infill) -> tuple[Delta, ...]:
        client = await self._client()
        if (found := await client.model()).id != (wanted := await self.model()).id:
            raise SystemExit(f"The host has {found.id}, the answers in {self._path} are of {wanted.id}.")
        deltas = tuple([delta async for delta in client.complete(infill)])
        self._write({"key": key, "deltas": [_plain(delta) for delta in deltas]})
        return deltas

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.create_task(open_ready_client())
        return await asyncio.shield(self._opening)

    def _write(self, row: dict[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def _read(path: Path | None) -> tuple[ModelInfo | None, dict[str, tuple[Delta, ...]]]:
    text = path.read_text(encoding="utf-8") if path is not None and path.exists() else ""
    rows = [json.loads(line) for line in text.splitlines()]
    models = [ModelInfo(**row["model"]) for row in rows if "model" in row]
    answers = {row["key"]: tuple(map(_delta, row["deltas"])) for row in rows if "key" in row}
    return (models[0] if models else None), answers


def _plain(delta: Delta) -> list[Any]:
    return [delta.text, [[token.text, token.token_id, token.logprob] for token in delta.logprobs], delta.finish_reason]


def _delta(plain: list[Any]) -> Delta:
    text, logprobs, finish_reason = plain
    return Delta(text, finish_reason, logprobs=tuple(TokenLogprob(*token) for token in logprobs))
