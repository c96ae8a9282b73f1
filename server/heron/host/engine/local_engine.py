"""The engine of a worker: asyncio in front, one thread behind that owns the model and runs its steps."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from heron.errors import HeronError, SystemFault, WorkerCrashed
from heron.host.engine.card_lost import card_lost
from heron.host.engine.draft import Drafter
from heron.host.engine.grammar import GrammarCompiler, Matcher
from heron.host.engine.healing import Healing, TokensByText
from heron.host.engine.memory import resident_bytes
from heron.host.engine.merging import INTERVAL_S, Merger, Outcome
from heron.host.engine.preambles import Preambles
from heron.host.engine.runner import Runner
from heron.host.engine.sampler import Sampler
from heron.host.engine.sampling_limits import validate_sampling
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sequence import PRIORITIES, Sequence
from heron.host.engine.spans import StepSpan
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.host.engine.stream import TextStream
from heron.host.engine.template import render
from heron.host.engine.tokenizer import Tokenizer
from heron.settings import EngineSettings
from heron.wire import ChatPrompt, Delta, FimPrompt, GenerateRequest, ModelInfo, Sampling

MAX_FAILED_STEPS = 3
"""An engine whose steps fail so often in a row is broken, whatever is asked of it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Consumer:
    """Where the deltas of a sequence go: the queue of the coroutine that waits for them, in its loop."""

    loop: asyncio.AbstractEventLoop
    inbox: asyncio.Queue[Delta | HeronError]


_Delivery = tuple[_Consumer, Delta | HeronError]


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """How an engine goes about its requests: how much at once, whether it guesses ahead, what it does with prompts.

    Deltas of chats are held for `merge_s` at most.
    """

    limits: SchedulerLimits = SchedulerLimits()
    drafter: Drafter | None = None
    settings: EngineSettings = EngineSettings()
    merge_s: float = INTERVAL_S


class LocalEngine:
    """Runs a compiled model. All that touches the runner happens on the engine's own thread."""

    def __init__(
        self,
        runner: Runner,
        tokenizer: Tokenizer,
        model: ModelInfo,
        policy: EnginePolicy | None = None,
    ) -> None:
        self._runner = runner
        self._tokenizer = tokenizer
        policy = policy or EnginePolicy()
        self._long_prompt = policy.settings.long_prompt
        window = min(model.context_window, runner.num_pages * runner.page_size)
        self._model = replace(model, context_window=window)
        self._grammars = GrammarCompiler(tokenizer, runner.vocab_size)
        self._tokens_by_text = TokensByText(tokenizer.token_bytes, runner.vocab_size)
        vocabulary = Vocabulary(tokenizer.stop_ids, tokenizer.token_bytes)
        self._loop = StepLoop(runner, vocabulary, _fit_limits(policy.limits, runner), policy.drafter)
        self._consumers: dict[Sequence, _Consumer] = {}
        self._merger = Merger(policy.merge_s)
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._preambles = Preambles()
        self._closing = False
        self._step_began = 0.0
        self._longest_step_s = 0.0
        self._num_requests = 0
        self._num_failed_steps = 0
        self._num_failed_in_a_row = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def model(self) -> ModelInfo:
        return self._model

    def warm_up(self) -> None:
        """Run the model once, unseen, so that the first request need not wait for what only happens once. Blocks."""
        warmed: Future[None] = Future()
        self._commands.put(lambda: self._warm_up(warmed))
        warmed.result()

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        sequence = await self._make_sequence(request)
        consumer = _Consumer(asyncio.get_running_loop(), asyncio.Queue())
        self._submit(sequence, consumer)
        running = True
        try:
            while running:
                delta = await consumer.inbox.get()
                running = isinstance(delta, Delta) and delta.finish_reason is None
                if isinstance(delta, HeronError):
                    raise delta
                yield delta
        finally:
            if running:
                self._commands.put(lambda: self._abort(sequence))

    async def tokenize(self, text: str) -> list[int]:
        return await asyncio.to_thread(self._tokenizer.encode, text)

    async def metrics(self) -> dict[str, float]:
        """Read without stopping the engine; values may be of two neighbouring steps."""
        counters, scheduler, cache = self._loop.counters, self._loop.scheduler, self._loop.cache
        began = self._step_began
        return {
            "requests_total": self._num_requests,
            "running_requests": scheduler.num_running,
            "waiting_requests": scheduler.num_waiting,
            "refused_requests_total": scheduler.num_refused,
            "preemptions_total": scheduler.num_preempted,
            "prefilled_tokens_total": counters.prefilled_tokens,
            "background_prefilled_tokens_total": counters.background_prefilled_tokens,
            "decoded_tokens_total": counters.decoded_tokens,
            "drafted_tokens_total": counters.drafted_tokens,
            "accepted_draft_tokens_total": counters.accepted_tokens,
            "cached_tokens_total": scheduler.num_cached_tokens,
            "used_pages": cache.num_pages - cache.num_available,
            "cached_pages": cache.num_idle,
            "pinned_pages": cache.num_pinned,
            "pages": cache.num_pages,
            "steps_total": counters.steps,
            "failed_steps_total": self._num_failed_steps,
            "step_s_total": counters.step_s,
            "run_s_total": counters.run_s,
            "current_step_s": time.monotonic() - began if began else 0.0,
            "longest_step_s": self._longest_step_s,
            "resident_bytes": resident_bytes(),
        }

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        return tuple(span for span in self._loop.spans.copy() if span.end_s >= since_s)

    async def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._commands.put(lambda: None)
        await asyncio.to_thread(self._ended.wait)

    async def _make_sequence(self, request: GenerateRequest) -> Sequence:
        """Check a request and render its prompt, the latter in a thread: a long text takes a while."""
        sampling = request.sampling
        validate_sampling(sampling, self._runner.vocab_size)
        window = self._model.context_window
        matcher = await self._make_matcher(sampling)
        room = self._room(request)
        token_ids = await asyncio.to_thread(render, request.prompt, self._tokenizer, room, self._long_prompt)
        taken_back = self._take_back(request, token_ids)
        return Sequence(
            request_id=request.request_id,
            token_ids=token_ids,
            num_prompt=len(token_ids),
            max_tokens=min(sampling.max_tokens, window - len(token_ids) - len(taken_back)),
            sampler=Sampler(sampling),
            stream=TextStream(self._tokenizer.token_bytes, sampling.stop, len(taken_back)),
            healing=Healing(self._tokens_by_text, taken_back) if taken_back else None,
            matcher=matcher,
            client=request.client,
            rank=PRIORITIES.index(request.priority),
            num_preamble=self._preambles.find(token_ids) if isinstance(request.prompt, ChatPrompt) else 0,
        )

    def _room(self, request: GenerateRequest) -> int:
        """Most prompt tokens: a prompt that is cut to fit leaves room for the answer asked for."""
        window, is_cut = self._model.context_window, self._long_prompt == "slide"
        if isinstance(request.prompt, FimPrompt):
            return window - min(request.sampling.max_tokens, window // 2)
        return window - (min(request.sampling.max_tokens, window // 4) if is_cut else 1)

    def _take_back(self, request: GenerateRequest, token_ids: list[int]) -> bytes:
        """Take the last token from a prompt that ends with text to be gone on with; its bytes."""
        can_heal = isinstance(request.prompt, FimPrompt) and request.sampling.grammar is None and len(token_ids) > 1
        text = self._tokenizer.token_bytes(token_ids[-1]) if can_heal else b""
        if text:
            token_ids.pop()
        return text

    async def _make_matcher(self, sampling: Sampling) -> Matcher | None:
        """Forced tokens are not sampled and so have no log probabilities: whoever asks for those gets none forced."""
        if sampling.grammar is None:
            return None
        return await asyncio.to_thread(self._grammars.compile, sampling.grammar, sampling.logprobs is None)

    def _submit(self, sequence: Sequence, consumer: _Consumer) -> None:
        if self._closing:
            raise WorkerCrashed("The engine has ended.")
        self._num_requests += 1
        self._commands.put(lambda: self._start(sequence, consumer))

    # What follows runs on the engine's thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._obey_commands()
                if self._loop.has_work and not self._closing:
                    self._step()
        finally:
            while not self._commands.empty():
                self._commands.get()()
            self._fail_all(WorkerCrashed("The engine was closed."))
            self._runner.close()
            self._ended.set()

    def _warm_up(self, warmed: "Future[None]") -> None:
        try:
            self._loop.warm_up()
        except Exception as error:
            warmed.set_exception(error if isinstance(error, HeronError) else _fault(error, self._model))
        else:
            warmed.set_result(None)

    def _obey_commands(self) -> None:
        """Carry out what was asked since the last step; wait for something to do when idle."""
        while not (self._loop.has_work and self._commands.empty()):
            self._commands.get()()
            if self._closing:
                return

    def _step(self) -> None:
        self._step_began = began = time.monotonic()
        try:
            outcomes = self._loop.step()
        except Exception as error:
            _log.exception("a step failed; %d requests with it", len(self._consumers))
            self._fail_step(error)
            return
        finally:
            self._step_began = 0.0
            self._longest_step_s = max(self._longest_step_s, time.monotonic() - began)
        self._num_failed_in_a_row = 0
        self._pass_on(self._merger.take(outcomes))

    def _fail_step(self, error: Exception) -> None:
        """Fail what took part; after too many such steps the engine ends, so that its worker is replaced."""
        self._num_failed_steps += 1
        self._num_failed_in_a_row += 1
        fault = error if isinstance(error, HeronError) else _fault(error, self._model)
        if isinstance(fault, WorkerCrashed):  # the card is gone: no other step will do better
            self._closing = True
        elif self._num_failed_in_a_row >= MAX_FAILED_STEPS:
            self._closing = True
            fault = WorkerCrashed(f"{self._num_failed_in_a_row} steps failed in a row. {fault.message}")
        self._fail_all(fault)

    def _start(self, sequence: Sequence, consumer: _Consumer) -> None:
        self._pass_on(self._merger.flush())  # the next step reads a prompt, and may take its time
        try:
            self._loop.scheduler.add(sequence)
        except HeronError as error:
            self._deliver([(consumer, error)])
            return
        self._consumers[sequence] = consumer

    def _abort(self, sequence: Sequence) -> None:
        if self._consumers.pop(sequence, None):
            self._merger.drop(sequence)
            self._loop.remove(sequence)

    def _fail_all(self, error: HeronError) -> None:
        self._loop.scheduler.drain()
        self._pass_on(self._merger.flush())
        consumers = list(self._consumers.values())
        self._consumers.clear()
        self._deliver([(consumer, error) for consumer in consumers])

    def _pass_on(self, outcomes: list[Outcome]) -> None:
        self._deliver([(self._consumer(sequence, outcome), outcome) for sequence, outcome in outcomes])

    def _consumer(self, sequence: Sequence, outcome: Delta | HeronError) -> _Consumer:
        goes_on = isinstance(outcome, Delta) and outcome.finish_reason is None
        return self._consumers[sequence] if goes_on else self._consumers.pop(sequence)

    def _deliver(self, deliveries: list[_Delivery]) -> None:
        """Hand over deltas, waking each event loop once."""
        for loop in {consumer.loop for consumer, _ in deliveries}:
            own = [delivery for delivery in deliveries if delivery[0].loop is loop]
            try:
                loop.call_soon_threadsafe(_put_all, own)
            except RuntimeError:  # the loop has closed, and with it whoever waited
                _log.debug("nobody waits for %d deltas", len(own))


def _put_all(deliveries: list[_Delivery]) -> None:
    for consumer, delta in deliveries:
        consumer.inbox.put_nowait(delta)


def _fit_limits(limits: SchedulerLimits, runner: Runner) -> SchedulerLimits:
    """The limits within what the runner takes at once."""
    most = min(limits.max_step_tokens, runner.max_batch_tokens)
    return replace(limits, max_step_tokens=most, max_running=min(limits.max_running, most))


def _fault(error: Exception, model: ModelInfo) -> HeronError:
    """One of our errors for what a step raised. A card that failed once fails each time (CUDA's errors stay)."""
    if model.on_card and isinstance(error, RuntimeError):
        return card_lost(error)
    return SystemFault(f"The engine failed in a step: {type(error).__name__}: {error}.")
