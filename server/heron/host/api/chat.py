"""`POST /v1/chat/completions`: the next turn of a conversation."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from heron.host.api.answer import (
    Envelope,
    WantedUsage,
    collect,
    new_envelope,
    read_priority,
    usage_object,
    usage_so_far,
)
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import EnginePool, generate, ready_engine
from heron.host.api.schema import ChatBody, chat_prompt, chat_sampling
from heron.host.api.sse import EventStream
from heron.wire import Delta, GenerateRequest, TokenLogprob


def chat_router(pool: EnginePool) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/chat/completions", response_model=None)
    async def chat(body: ChatBody, request: Request) -> Response:
        """Answer the last message of a conversation."""
        engine = await while_connected(request.receive, ready_engine(pool, body.model))
        kind = "chat.completion.chunk" if body.stream else "chat.completion"
        envelope = new_envelope("chatcmpl", kind, engine.model.id)
        prompt, sampling = chat_prompt(body, engine.model), chat_sampling(body, engine.model)
        priority = read_priority(request, "chat")
        deltas = generate(engine, GenerateRequest(envelope.id, prompt, sampling, priority))
        if body.stream:
            return EventStream(_stream(deltas, envelope, body.wanted_usage))
        whole = await while_connected(request.receive, collect(deltas))
        message = {"role": "assistant", "content": whole.text, "refusal": None}
        return JSONResponse(envelope.wrap(_choice("message", message, whole)) | {"usage": usage_object(whole.usage)})

    return router


async def _stream(
    deltas: AsyncGenerator[Delta, None], envelope: Envelope, wanted: WantedUsage
) -> AsyncGenerator[dict[str, Any], None]:
    """The first object carries the role, the last with a choice the finish reason and an empty delta, as OpenAI's."""
    opening: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    async with aclosing(deltas):
        async for delta in deltas:
            if opening:
                yield envelope.wrap(_choice("delta", opening, Delta())) | usage_so_far(delta, wanted)
                opening = {}
            for piece, content in _split(delta):
                yield envelope.wrap(_choice("delta", content, piece)) | usage_so_far(delta, wanted)
            if wanted != "none" and delta.finish_reason is not None:
                yield envelope.wrap() | {"usage": usage_object(delta.usage)}


def _split(delta: Delta) -> list[tuple[Delta, dict[str, Any]]]:
    """A delta's text, if it has any, and its finish, if it is the last, as two chunks."""
    chunks: list[tuple[Delta, dict[str, Any]]] = []
    if delta.text or delta.logprobs:
        chunks.append((Delta(logprobs=delta.logprobs), {"content": delta.text}))
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
