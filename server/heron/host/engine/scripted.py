"""An engine that answers from a script: the model's place in protocol tests and behind a worker's real pipe."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import assert_never
from zlib import crc32

from heron.errors import HeronError
from heron.host.engine.sampling_limits import validate_sampling
from heron.host.engine.spans import StepSpan
from heron.host.engine.stream import StopScanner
from heron.host.engine.tool_format import ToolFormat, tool_format, write_call
from heron.wire import (
    ChatPrompt,
    Delta,
    FimPrompt,
    GenerateRequest,
    ModelInfo,
    Prompt,
    TextPrompt,
    TokenLogprob,
    TokenPrompt,
    ToolCall,
    Usage,
)

CURSOR = "│"
"""Stands between prefix and suffix in `prompt_text` of a FimPrompt."""

_VOCAB_SIZE = 65536
_PIECE = re.compile(r".{1,4}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: each token is up to four characters. `hold_after` and `exit_after` count deltas.

    With `hold_after` the stream waits there until `ScriptedEngine.release`, with `exit_after` the process ends there
    as if it had been killed. Tool calls are written after the text in the model's form, which the chat API reads.
    """

    text: str
    hold_after: int | None = None
    exit_after: int | None = None
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Reply to a prompt whose `prompt_text` contains a text."""

    contains: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Script:
    """The first rule that fits answers, else the last resort. Travels to a worker in its Init message."""

    rules: tuple[Rule, ...] = ()
    otherwise: Reply = Reply("")
    model: ModelInfo = ModelInfo("scripted", 4096, supports_fim=True, supports_chat=True, supports_tools=True)


Answer = str | Reply | HeronError
Answers = Script | str | Mapping[str, Answer] | Callable[[GenerateRequest], Answer]


def prompt_text(prompt: Prompt) -> str:
    """A prompt as text for rules to look into: prefix│suffix, or the chat's contents line by line."""
    match prompt:
        case TextPrompt(text=text):
            return text
        case FimPrompt(prefix=prefix, suffix=suffix):
            return prefix + CURSOR + suffix
        case ChatPrompt(messages=messages):
            return "\n".join(message.content for message in messages)
        case TokenPrompt(token_ids=token_ids):
            return " ".join(map(str, token_ids))
        case _:
            assert_never(prompt)


class ScriptedEngine:
    """Answers by a function of the request, a mapping from a piece of the prompt, one text for all, or a Script.

    An answer that is a HeronError is raised. `requests` and `aborted` (request ids) record what happened; `hold()`
    makes every stream wait before its next delta until `release()`.
    """

    def __init__(self, answers: Answers = "", *, model: ModelInfo | None = None) -> None:
        self._answers = answers
        self._model = model or (answers.model if isinstance(answers, Script) else Script().model)
        self._open = asyncio.Event()
        self._open.set()
        self._changed = asyncio.Condition()
        self._running = 0
        self.requests: list[GenerateRequest] = []
        self.aborted: list[str] = []
        self.closed = False

    @property
    def model(self) -> ModelInfo:
        return self._model

    def hold(self) -> None:
        """Let no stream send another delta."""
        self._open.clear()

    def release(self) -> None:
        """Let all streams go on, and past their `hold_after`."""
        self._open.set()

    async def wait_for(self, condition: Callable[["ScriptedEngine"], bool]) -> None:
        """Wait until a condition on `requests`, `aborted` or `closed` holds."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self))

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        self._running += 1
        await self._notify()
        finished = False
        try:
            validate_sampling(request.sampling, _VOCAB_SIZE)
            async with aclosing(self._play(request)) as deltas:
                async for delta in deltas:
                    finished = delta.finish_reason is not None
                    yield delta
        except HeronError:
            finished = True
            raise
        finally:
            self._running -= 1
            if not finished:
                self.aborted.append(request.request_id)
            await self._notify()

    async def tokenize(self, text: str) -> list[int]:
        return [_token_id(piece) for piece in _PIECE.findall(text)]

    async def metrics(self) -> dict[str, float]:
        return {"requests_total": float(len(self.requests)), "running_requests": float(self._running)}

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """None: there is no model."""
        return ()

    async def close(self) -> None:
        self.closed = True
        await self._notify()

    async def _play(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        reply = self._reply(request)
        for number, delta in enumerate(_deltas(reply.text, request)):
            if number == reply.exit_after:
                os._exit(1)
            if number == reply.hold_after:
                self.hold()
            await self._open.wait()
            yield delta
            await asyncio.sleep(0)  # a real engine leaves room for other requests between tokens

    def _reply(self, request: GenerateRequest) -> Reply:
        answer = _find_answer(self._answers, request)
        if isinstance(answer, HeronError):
            raise answer
        reply = Reply(answer) if isinstance(answer, str) else answer
        return replace(reply, text=_with_calls(reply, tool_format(self._model.tool_format)))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _find_answer(answers: Answers, request: GenerateRequest) -> Answer:
    if isinstance(answers, str):
        return answers
    if callable(answers):
        return answers(request)
    prompt = prompt_text(request.prompt)
    if isinstance(answers, Script):
        return next((rule.reply for rule in answers.rules if rule.contains in prompt), answers.otherwise)
    return next((answer for contains, answer in answers.items() if contains in prompt), "")


def _with_calls(reply: Reply, form: ToolFormat) -> str:
    parts = [reply.text] if reply.text else []
    return "\n".join([*parts, *(write_call(form, call) for call in reply.tool_calls)])


def _deltas(text: str, request: GenerateRequest) -> list[Delta]:
    """The whole stream, one delta a token, cut at stop strings and `max_tokens`, each with the usage so far."""
    num_prompt = len(_PIECE.findall(prompt_text(request.prompt)))
    scanner = StopScanner(request.sampling.stop)
    pieces = _PIECE.findall(text)
    deltas: list[Delta] = []
    for piece in pieces[: request.sampling.max_tokens]:
        usage = Usage(num_prompt, len(deltas) + 1)
        deltas.append(replace(_delta(scanner.push(piece), piece, request.sampling.logprobs), usage=usage))
        if scanner.stopped:
            break
    cut = len(deltas) < len(pieces) and not scanner.stopped
    usage = Usage(num_prompt, len(deltas))
    return [*deltas, Delta(text=scanner.finish(), finish_reason="length" if cut else "stop", usage=usage)]


def _delta(text: str, piece: str, logprobs: int | None) -> Delta:
    token_id = _token_id(piece)
    alternatives = tuple((piece, token_id, -0.5) for _ in range(min(logprobs or 0, 1)))
    shown = () if logprobs is None else (TokenLogprob(piece, token_id, -0.5, alternatives),)
    return Delta(text=text, token_ids=(token_id,), logprobs=shown)


def _token_id(piece: str) -> int:
    return crc32(piece.encode("utf-8", "surrogatepass")) % _VOCAB_SIZE
