"""The engine of people who have MLC-LLM's own package: our protocol over its `AsyncMLCEngine`.

The only file that imports `mlc_llm`. It schedules, samples and keeps the KV cache itself; what enters it, and in which
order, is decided by `admission`. One event loop uses it, as it takes the first that asks for its own.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from heron.errors import HeronError, InvalidRequest, PromptTooLong, SystemFault, WorkerCrashed
from heron.host.engine.admission import Admission, AdmissionLimits
from heron.host.engine.memory import resident_bytes
from heron.host.engine.mlc_answer import AnswerReader, read_metrics
from heron.host.engine.mlc_ask import Ask, make_ask
from heron.host.engine.mlc_healing import Healer, HealingAsk
from heron.host.engine.sampling_limits import validate_sampling
from heron.host.engine.spans import StepSpan
from heron.host.engine.template import render
from heron.host.engine.tokenizer import Tokenizer
from heron.settings import LongPrompt
from heron.wire import Delta, FimPrompt, GenerateRequest, ModelInfo

_METRICS_PATIENCE_S = 1.0
"""How long metrics wait for MLC-LLM, which answers between its steps only."""
_SILENCE_S = 300.0
"""Silence of running requests up to which MLC-LLM may be prefilling: it tells of no step before its first token."""
_TERMINATE_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MlcStart:
    """What `AsyncMLCEngine` is made with."""

    folder: str
    device: str
    library: str | None
    mode: str
    options: Mapping[str, Any]
    """fields of its EngineConfig"""


def start_mlc(start: MlcStart) -> Any:
    """The engine, after as long as it takes to load the weights; on many faults its constructor never returns."""
    from mlc_llm import AsyncMLCEngine
    from mlc_llm.serve import EngineConfig

    config = EngineConfig(**start.options)
    try:
        return AsyncMLCEngine(
            start.folder, start.device, model_lib=start.library, mode=start.mode, engine_config=config
        )
    except HeronError:
        raise
    except Exception as error:
        raise SystemFault(f"MLC-LLM cannot load the model: {type(error).__name__}: {error}.") from error


class MlcEngine:
    """Our engine protocol over a started `AsyncMLCEngine`."""

    def __init__(
        self,
        backend: Any,
        tokenizer: Tokenizer,
        model: ModelInfo,
        limits: AdmissionLimits | None = None,
        long_prompt: LongPrompt = "refuse",
    ) -> None:
        self._backend = backend
        self._tokenizer = tokenizer
        self._model = model
        self._long_prompt = long_prompt
        self._healer = Healer(tokenizer)
        self._admission = Admission(limits or AdmissionLimits())
        self._inboxes: set[asyncio.Queue[Any]] = set()
        self._num_requests = 0
        self._heard_at = 0.0
        self._told: dict[str, float] = {}
        self._closed = False

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        if self._closed:
            raise WorkerCrashed("The engine has ended.")
        validate_sampling(request.sampling, self._tokenizer.vocab_size)
        ask, healing = await asyncio.to_thread(self._prepare, request)
        self._num_requests += 1
        async with self._admission.admit(request) as ticket:
            ticket.charge(len(ask.token_ids))
            self._heard_at = time.monotonic()
            begin = ""
            if healing is not None:
                ask, begin = await self._heal(ask, healing)
            async with aclosing(self._answer(ask, begin)) as deltas:
                async for delta in deltas:
                    self._heard_at = time.monotonic()
                    ticket.charge(len(delta.token_ids))
                    yield delta

    async def tokenize(self, text: str) -> list[int]:
        return await asyncio.to_thread(self._tokenizer.encode, text)

    async def metrics(self) -> dict[str, float]:
        """Ours of the queue, MLC-LLM's of tokens and times; the latter those of before while it does not answer."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_METRICS_PATIENCE_S):
                self._told = read_metrics((await self._backend.metrics()).metrics)
        silent_s = time.monotonic() - self._heard_at if self._admission.num_running else 0.0
        return {
            "requests_total": self._num_requests,
            "running_requests": self._admission.num_running,
            "waiting_requests": self._admission.num_waiting,
            "refused_requests_total": self._admission.num_refused,
            "current_step_s": silent_s if silent_s > _SILENCE_S else 0.0,
            "resident_bytes": resident_bytes(),
            **self._told,
        }

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """None are told: they are the package's."""
        return ()

    async def close(self) -> None:
        """End MLC-LLM's threads; a worker whose process ends does not wait for those that hang."""
        if self._closed:
            return
        self._closed = True
        for inbox in self._inboxes:
            inbox.put_nowait(WorkerCrashed("The engine was closed."))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._backend.terminate), _TERMINATE_S)

    def _prepare(self, request: GenerateRequest) -> tuple[Ask, HealingAsk | None]:
        """The prompt as tokens, cut to what the window leaves, and whether its last token is healed."""
        window, sampling = self._model.context_window, request.sampling
        reserve = min(sampling.max_tokens, window // 2 if isinstance(request.prompt, FimPrompt) else window // 4)
        is_cut = isinstance(request.prompt, FimPrompt) or self._long_prompt == "slide"
        token_ids = render(request.prompt, self._tokenizer, window - (reserve if is_cut else 1), self._long_prompt)
        ask = make_ask(token_ids, min(sampling.max_tokens, window - len(token_ids)), sampling, self._tokenizer)
        can_heal = isinstance(request.prompt, FimPrompt) and sampling.grammar is None and sampling.logprobs is None
        return ask, self._healer.heal(ask) if can_heal else None

    async def _heal(self, ask: Ask, healing: HealingAsk) -> tuple[Ask, str]:
        """The ask with its last token as the model would have it, and how the answer begins by that."""
        text = ""
        async with aclosing(self._messages(healing.first)) as messages:
            async for message in messages:
                text += "".join(choice.text or "" for choice in message.choices)
        return healing.continue_from(ask, text)

    async def _answer(self, ask: Ask, begin: str) -> AsyncGenerator[Delta, None]:
        reader = AnswerReader(len(ask.token_ids), ask.stops, self._tokenizer)
        for delta in reader.begin(begin):
            yield delta
        async with aclosing(self._messages(ask)) as messages:
            while not reader.done and (message := await anext(messages, None)) is not None:
                for delta in reader.read(message):
                    yield delta
        yield reader.end()

    async def _messages(self, ask: Ask) -> AsyncGenerator[Any, None]:
        """What MLC-LLM streams. Its consumer runs in a task of its own: cancelling that task ends the request cleanly,
        where its `abort` would leave the consumer waiting for ever."""
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._inboxes.add(inbox)
        pump = asyncio.create_task(self._pump(ask, inbox), name="mlc-request")
        try:
            while (message := await inbox.get()) is not None:
                if isinstance(message, Exception):
                    raise _explain(message) from message
                yield message
        finally:
            self._inboxes.discard(inbox)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, ask: Ask, inbox: asyncio.Queue[Any]) -> None:
        """Put each message into the inbox, at the end None, or the error that came."""
        try:
            async for message in await self._backend.completions.create(**ask.arguments(uuid4().hex)):
                inbox.put_nowait(message)
        except Exception as error:
            inbox.put_nowait(error)
        else:
            inbox.put_nowait(None)


def _explain(error: Exception) -> HeronError:
    """One of our errors for what MLC-LLM raises."""
    if isinstance(error, HeronError):
        return error
    text = f"{error}".rstrip(".")
    if type(error).__name__ == "BadRequestError":
        return PromptTooLong(f"{text}.") if "length limit" in text else InvalidRequest(f"MLC-LLM refuses it: {text}.")
    _log.error("MLC-LLM failed in a request", exc_info=error)
    return SystemFault(f"MLC-LLM failed: {type(error).__name__}: {text}.")


def with_window(model: ModelInfo, backend: Any) -> ModelInfo:
    """The model with the window that MLC-LLM took, which may be less than what was asked for."""
    longest = getattr(backend, "max_input_sequence_length", None)
    return replace(model, context_window=min(model.context_window, longest)) if type(longest) is int else model
