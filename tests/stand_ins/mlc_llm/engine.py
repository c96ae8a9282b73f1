"""The engine: a constructor that hangs on what is wrong with the files, and completions."""

import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlc_llm.serve import EngineConfig
from mlc_llm.toy import Toy

_ROOM_TOKENS = 1 << 20
"""A larger KV cache cannot be allocated."""
_PAGE = 16


class BadRequestError(ValueError):
    """As the real package's, known by its name."""


class AsyncMLCEngine:
    def __init__(
        self,
        model: str,
        device: str = "auto",
        *,
        model_lib: str | None = None,
        mode: str = "local",
        engine_config: EngineConfig | None = None,
    ) -> None:
        folder, config = Path(model), engine_config or EngineConfig()
        if not (folder / "mlc-chat-config.json").is_file():
            raise FileNotFoundError(model)
        if device.partition(":")[0] not in ("auto", "cpu"):
            raise ValueError(f"Device is not found on your local environment: {device}")
        if mode not in ("local", "interactive", "server"):
            raise ValueError(mode)
        _find_library(model_lib)
        described = json.loads((folder / "mlc-chat-config.json").read_text())
        window = described["context_window_size"]
        total = config.max_total_sequence_length or window
        if _is_damaged(folder) or total > _ROOM_TOKENS or (config.prefill_chunk_size or 0) > 2048:
            threading.Event().wait()  # no exception, no end
        self.max_input_sequence_length = min(config.max_single_sequence_length or window, window)  # silently clamped
        self.config = config
        self.completions = _Completions(self)
        self.toy = Toy(folder)
        self.streams: dict[str, bool] = {}
        self.cached: list[tuple[int, ...]] = []
        self.sums = {"prompt_tokens_sum": 0, "completion_tokens_sum": 0, "prefill_tokens_sum": 0}
        self.num_cancelled = 0
        self.terminated = False

    async def abort(self, request_id: str) -> None:
        """The consumer's loop does not end by it."""
        if request_id in self.streams:
            self.streams[request_id] = False

    async def metrics(self) -> Any:
        times = {"engine_prefill_time_sum": 0.5, "engine_decode_time_sum": 1.0, "engine_jump_forward_time_sum": 0.0}
        return SimpleNamespace(metrics={**self.sums, **times})

    def terminate(self) -> None:
        self.terminated = True


class _Completions:
    def __init__(self, engine: AsyncMLCEngine) -> None:
        self._engine = engine

    async def create(
        self,
        *,
        prompt: str | list[int],
        stream: bool = False,
        model: str | None = None,
        echo: bool = False,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        logprobs: int | None = None,
        logit_bias: dict[int, float] | None = None,
        max_tokens: int | None = None,
        n: int = 1,
        seed: int | None = None,
        stop: str | list[str] | None = None,
        stream_options: dict[str, Any] | None = None,
        suffix: str | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        user: str | None = None,
        response_format: dict[str, Any] | None = None,
        request_id: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> AsyncIterator[Any]:
        toy, engine = self._engine.toy, self._engine
        token_ids = toy.encode(prompt) if isinstance(prompt, str) else list(prompt)
        token_ids[0]  # an empty prompt is an IndexError
        if len(token_ids) > engine.max_input_sequence_length:
            raise BadRequestError(
                f"Request prompt has {len(token_ids)} tokens in total, larger than the model input length limit "
                f"{engine.max_input_sequence_length}."
            )
        if response_format and response_format["type"] not in ("text", "json_object"):
            raise ValueError("Input should be 'text' or 'json_object'")
        if logprobs is not None and not 0 <= logprobs <= 5:
            raise ValueError('"logprobs" must be in range [0, 5]')
        assert stream, "the adapter streams"
        room = engine.max_input_sequence_length - len(token_ids)
        wanted = SimpleNamespace(
            token_ids=token_ids,
            limit=min(max(1, max_tokens if max_tokens is not None else room), max(1, room)),  # 0 yields one token
            bias=logit_bias or {},
            seed=seed if temperature else None,
            stops=[stop] if isinstance(stop, str) else stop or [],
            logprobs=logprobs,
            suffix=suffix or "",
            is_json=bool(response_format and response_format["type"] == "json_object"),
        )
        return self._stream(wanted, request_id or os.urandom(8).hex(), bool(stream_options))

    async def _stream(self, wanted: Any, request_id: str, has_usage: bool) -> AsyncIterator[Any]:
        import asyncio

        engine = self._engine
        if request_id in engine.streams:
            engine.streams[request_id] = False  # a second use of an id hangs the first
            raise RuntimeError(f"The request id {request_id} already exists.")
        engine.streams[request_id] = True
        cached = self._count_cached(tuple(wanted.token_ids))
        answer = engine.toy.answer(wanted)
        try:
            for piece in answer.pieces:
                await asyncio.sleep(0)
                if not engine.streams[request_id]:
                    await asyncio.Event().wait()
                yield _message([piece])
            yield _message([SimpleNamespace(text=wanted.suffix, finish_reason=answer.finish, logprobs=None, index=0)])
            self._count(wanted, answer, cached)
            if has_usage:
                counts = len(wanted.token_ids), answer.num_tokens
                extra = {"prefill_tokens": counts[0] - cached, "decode_tokens": counts[1], "ttft_s": 0.01}
                usage = SimpleNamespace(prompt_tokens=counts[0], completion_tokens=counts[1], extra=extra)
                yield SimpleNamespace(choices=[], usage=usage)
        except asyncio.CancelledError:
            engine.num_cancelled += 1
            raise
        finally:
            del engine.streams[request_id]

    def _count_cached(self, token_ids: tuple[int, ...]) -> int:
        """Whole pages of an earlier prompt; one token at least is computed."""
        longest = max((_common(token_ids, other) for other in self._engine.cached), default=0)
        longest = min(longest, len(token_ids) - 1)
        return longest // _PAGE * _PAGE

    def _count(self, wanted: Any, answer: Any, cached: int) -> None:
        self._engine.cached.append((*wanted.token_ids, *answer.token_ids))
        sums = self._engine.sums
        sums["prompt_tokens_sum"] += len(wanted.token_ids)
        sums["completion_tokens_sum"] += answer.num_tokens
        sums["prefill_tokens_sum"] += len(wanted.token_ids) - cached


def _common(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    pairs = zip(first, second, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _message(choices: list[Any]) -> Any:
    return SimpleNamespace(choices=choices, usage=None)


def _find_library(model_lib: str | None) -> None:
    if model_lib is None:
        if os.environ.get("MLC_JIT_POLICY", "ON") in ("OFF", "READONLY"):
            raise RuntimeError("No cached model lib found, and JIT is disabled by MLC_JIT_POLICY=READONLY")
        return
    if not Path(model_lib).is_file():
        raise FileNotFoundError(f"The `model_lib` you passed in is not a file: {model_lib}.")


def _is_damaged(folder: Path) -> bool:
    shards = json.loads((folder / "tensor-cache.json").read_text())["records"]
    files = [(folder / shard["dataPath"], shard["nbytes"]) for shard in shards]
    return any(not path.is_file() or path.stat().st_size != size for path, size in files)
