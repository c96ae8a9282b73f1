"""Answers given again without the model: those of requests that always get the same one.

The key is a digest of the model's file and of all that shapes the answer; no prompt is kept. A request that is drawn
without a seed is not deterministic, and background work is done for the KV cache it leaves: neither is answered here.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from heron.host.engine.codec import encode
from heron.host.engine.engine import Engine
from heron.wire import Delta, GenerateRequest, ModelInfo, TokenLogprob, Usage

_ENTRY_BYTES = 600
"""About what an answer takes beside its text, tokens and log probabilities."""
_LOGPROB_BYTES = 300
_TOKEN_BYTES = 36


@dataclass(slots=True)
class _Entry:
    answer: Delta
    num_bytes: int


class ResponseCache:
    """The answers used last, as far as `limit_bytes` go; 0 keeps none. Used from one event loop only."""

    def __init__(self, limit_bytes: int = 0) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._num_bytes = self._num_hits = self._num_misses = 0

    async def generate(self, engine: Engine, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        """The kept answer in one piece, or the engine's deltas, kept when they have come to their end."""
        key = _key(engine.model, request) if self._limit_bytes else None
        if key is not None and (found := self._find(key)):
            yield found
            return
        deltas: list[Delta] = []
        async with aclosing(engine.generate(request)) as stream:
            async for delta in stream:
                if key is not None:
                    deltas.append(delta)
                if key is not None and delta.finish_reason is not None:
                    self._keep(key, _join(deltas))
                yield delta

    def metrics(self) -> dict[str, float]:
        """Counters and gauges, by the names they have in /metrics."""
        return {
            "response_cache_hits_total": self._num_hits,
            "response_cache_misses_total": self._num_misses,
            "response_cache_entries": len(self._entries),
            "response_cache_bytes": self._num_bytes,
            "response_cache_limit_bytes": self._limit_bytes,
        }

    def _find(self, key: bytes) -> Delta | None:
        entry = self._entries.get(key)
        if entry is None:
            self._num_misses += 1
            return None
        self._num_hits += 1
        self._entries.move_to_end(key)
        return entry.answer

    def _keep(self, key: bytes, answer: Delta) -> None:
        entry = _Entry(answer, _size(answer))
        if old := self._entries.pop(key, None):
            self._num_bytes -= old.num_bytes
        self._entries[key] = entry
        self._num_bytes += entry.num_bytes
        while self._num_bytes > self._limit_bytes:
            self._num_bytes -= self._entries.popitem(last=False)[1].num_bytes


def _key(model: ModelInfo, request: GenerateRequest) -> bytes | None:
    """What the answer depends on, digested; None if it depends on more, such as another server's model."""
    sampling = request.sampling
    is_drawn = sampling.temperature > 0 and sampling.seed is None
    if is_drawn or not model.fingerprint or request.priority == "background":
        return None
    parts = [model.id, model.fingerprint, model.context_window, encode(request.prompt), encode(sampling)]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=32).digest()


def _join(deltas: list[Delta]) -> Delta:
    """A whole answer as it is given again: all of its prompt was found, nothing was guessed."""
    usage = deltas[-1].usage or Usage()
    return Delta(
        text="".join(delta.text for delta in deltas),
        token_ids=tuple(token_id for delta in deltas for token_id in delta.token_ids),
        logprobs=tuple(logprob for delta in deltas for logprob in delta.logprobs),
        finish_reason=deltas[-1].finish_reason,
        usage=replace(usage, cached_tokens=usage.prompt_tokens, draft_tokens=0, accepted_draft_tokens=0),
    )


def _size(answer: Delta) -> int:
    """Bytes that an answer takes, about; a text of other than Latin letters has up to four a character."""
    logprobs = sum(_logprob_size(logprob) for logprob in answer.logprobs)
    return _ENTRY_BYTES + 4 * len(answer.text) + _TOKEN_BYTES * len(answer.token_ids) + logprobs


def _logprob_size(logprob: TokenLogprob) -> int:
    return _LOGPROB_BYTES * (1 + len(logprob.top))
