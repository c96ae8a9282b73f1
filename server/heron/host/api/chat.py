"""`POST /v1/chat/completions`: the next turn of a conversation."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from heron.host.api.answer import (
    Reply,
    cache_for,
    collect,
    new_envelope,
    read_client,
    read_priority,
    usage_object,
    usage_so_far,
)
from heron.host.api.constraint import Constraint, in_clients_words, make_constraint
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import generate, ready_engine
from heron.host.api.schema import ChatBody, chat_prompt, chat_sampling
from heron.host.api.service import Service
from heron.host.api.sse import EventStream
from heron.host.api.timings import Stopwatch
from heron.host.api.tool_calls import call_object, read_calls
from heron.wire import ChatPrompt, Delta, GenerateRequest, ModelInfo, Sampling, TokenLogprob


def chat_router(service: Service) -> APIRouter:
    router, pool, ledger = APIRouter(), service.pool, service.ledger

    @router.post("/v1/chat/completions", response_model=None)
    async def chat(body: ChatBody, request: Request) -> Response:
        """Answer the last message of a conversation."""
        watch = Stopwatch()
        engine = await while_connected(request.receive, ready_engine(pool, body.model))
        kind = "chat.completion.chunk" if body.stream else "chat.completion"
        envelope = new_envelope("chatcmpl", kind, engine.model.id)
        constraint = make_constraint(body.wishes, engine.model)
        prompt, sampling = _question(body, engine.model, constraint)
        priority, client = read_priority(request, "chat"), read_client(request, body.user)
        wanted = GenerateRequest(envelope.id, prompt, sampling, priority, client)
        raw = watch.watch(generate(engine, wanted, ledger, cache_for(request, service.cache)))
        deltas = read_calls(in_clients_words(raw, constraint), constraint)
        if body.stream:
            return EventStream(_stream(deltas, Reply(envelope, body.wanted_usage, watch)))
        whole = await while_connected(request.receive, collect(deltas))
        ending = {"usage": usage_object(whole.usage), "timings": watch.timings()}
        return JSONResponse(envelope.wrap(_choice("message", _message(whole), whole)) | ending)

    return router


def _question(body: ChatBody, model: ModelInfo, constraint: Constraint) -> tuple[ChatPrompt, Sampling]:
    return chat_prompt(body, model, constraint), chat_sampling(body, model, constraint)


def _message(whole: Delta) -> dict[str, Any]:
    """The assistant's turn; one that only calls tools has no content."""
    message: dict[str, Any] = {"role": "assistant", "content": whole.text, "refusal": None}
    if not whole.tool_calls:
        return message
    return message | {"content": whole.text or None, "tool_calls": [call_object(call) for call in whole.tool_calls]}


async def _stream(deltas: AsyncGenerator[Delta, None], reply: Reply) -> AsyncGenerator[dict[str, Any], None]:
    """The first object carries the role, the last with a choice the finish reason and an empty delta, as OpenAI's."""
    opening: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    envelope, wanted, num_calls = reply.envelope, reply.wanted, 0
    async with aclosing(deltas):
        async for delta in deltas:
            if opening:
                yield envelope.wrap(_choice("delta", opening, Delta())) | usage_so_far(delta, wanted)
                opening = {}
            for piece, content in _split(delta, num_calls):
                yield envelope.wrap(_choice("delta", content, piece)) | usage_so_far(delta, wanted)
            num_calls += len(delta.tool_calls)
            if wanted != "none" and delta.finish_reason is not None:
                yield reply.close(delta)


def _split(delta: Delta, num_calls: int) -> list[tuple[Delta, dict[str, Any]]]:
    """A delta's text, each of its calls, numbered on from `num_calls`, and its finish, as far as it has them."""
    chunks: list[tuple[Delta, dict[str, Any]]] = []
    if delta.text or delta.logprobs:
        chunks.append((Delta(logprobs=delta.logprobs), {"content": delta.text}))
    for index, call in enumerate(delta.tool_calls, num_calls):
        chunks.append((Delta(), {"tool_calls": [{"index": index, **call_object(call)}]}))
    if delta.finish_reason is not None:
        chunks.append((Delta(finish_reason=delta.finish_reason), {}))
    return chunks


def _choice(key: str, content: dict[str, Any], delta: Delta) -> dict[str, Any]:
    logprobs = {"content": [_logprob(item) for item in delta.logprobs], "refusal": None} if delta.logprobs else None
    return {"index": 0, key: content, "logprobs": logprobs, "finish_reason": delta.finish_reason}


def _logprob(item: TokenLogprob) -> dict[str, Any]:
    alternatives = [_token(text, value) for text, _, value in item.top]
    return _token(item.text, item.logprob) | {"top_logprobs": alternatives}


def _token(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
