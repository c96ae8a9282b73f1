"""`POST /v1/completions`: text continued, or filled in before a suffix."""

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
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import generate, ready_engine
from heron.host.api.schema import CompletionBody, completion_prompt, completion_sampling
from heron.host.api.service import Service
from heron.host.api.sse import EventStream
from heron.host.api.timings import Stopwatch
from heron.wire import Delta, GenerateRequest, TokenLogprob


def completions_router(service: Service) -> APIRouter:
    router, pool, ledger = APIRouter(), service.pool, service.ledger

    @router.post("/v1/completions", response_model=None)
    async def complete(body: CompletionBody, request: Request) -> Response:
        """Continue a prompt, or fill in between prompt and suffix."""
        watch = Stopwatch()
        engine = await while_connected(request.receive, ready_engine(pool, body.model))
        envelope = new_envelope("cmpl", "text_completion", engine.model.id)
        prompt = completion_prompt(body, engine.model)
        priority, client = read_priority(request, "completion"), read_client(request, body.user)
        wanted = GenerateRequest(envelope.id, prompt, completion_sampling(body), priority, client)
        deltas = watch.watch(generate(engine, wanted, ledger, cache_for(request, service.cache)))
        if body.stream:
            return EventStream(_stream(deltas, Reply(envelope, body.wanted_usage, watch)))
        whole = await while_connected(request.receive, collect(deltas))
        ending = {"usage": usage_object(whole.usage), "timings": watch.timings()}
        return JSONResponse(envelope.wrap(_choice(whole, 0)) | ending)

    return router


async def _stream(deltas: AsyncGenerator[Delta, None], reply: Reply) -> AsyncGenerator[dict[str, Any], None]:
    offset = 0
    async with aclosing(deltas):
        async for delta in deltas:
            yield reply.envelope.wrap(_choice(delta, offset)) | usage_so_far(delta, reply.wanted)
            offset += sum(len(logprob.text) for logprob in delta.logprobs)
            if reply.wanted != "none" and delta.finish_reason is not None:
                yield reply.close(delta)


def _choice(delta: Delta, offset: int) -> dict[str, Any]:
    """One choice; `offset` is where its text begins in the whole answer, in code points of its tokens."""
    logprobs = _logprobs(delta.logprobs, offset) if delta.logprobs else None
    return {"text": delta.text, "index": 0, "logprobs": logprobs, "finish_reason": delta.finish_reason}


def _logprobs(logprobs: tuple[TokenLogprob, ...], offset: int) -> dict[str, Any]:
    offsets = []
    for logprob in logprobs:
        offsets.append(offset)
        offset += len(logprob.text)
    return {
        "tokens": [logprob.text for logprob in logprobs],
        "token_logprobs": [logprob.logprob for logprob in logprobs],
        "top_logprobs": [{text: value for text, _, value in logprob.top} for logprob in logprobs],
        "text_offset": offsets,
    }
