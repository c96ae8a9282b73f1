"""llama.cpp's own routes, so that editor plugins made for it work with this host.

`POST /infill` and `/tokenize`, `GET /health`, `/v1/health` and `/props`, shaped as its tools/server/README.md says.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from heron import __version__
from heron.host.api.answer import cache_for, read_client, read_priority
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import generate, ready_engine
from heron.host.api.line_guard import LineGuard
from heron.host.api.llama_fields import InfillBody, TokenizeBody, infill_prompt, infill_sampling
from heron.host.api.service import Service
from heron.host.api.sse import EventStream
from heron.host.api.timings import Stopwatch
from heron.wire import Delta, GenerateRequest, Usage

_NUM_SLOTS = 1
"""What `/props` tells of slots: clients only ask whether there is one."""


@dataclass(slots=True)
class _Answer:
    """What is told of an answer at its end."""

    model: str
    watch: Stopwatch
    text: str = ""
    usage: Usage = field(default_factory=Usage)
    stop_type: str = "none"

    def note(self, text: str, delta: Delta) -> None:
        self.text += text
        self.usage = delta.usage or self.usage
        if delta.finish_reason:
            self.stop_type = {"length": "limit"}.get(delta.finish_reason, "eos")


def llama_router(service: Service) -> APIRouter:
    router, pool, ledger = APIRouter(), service.pool, service.ledger

    @router.post("/infill", response_model=None)
    async def infill(body: InfillBody, request: Request) -> Response:
        """Fill in between a prefix and a suffix."""
        watch = Stopwatch()
        engine = await while_connected(request.receive, ready_engine(pool, body.model))
        priority = read_priority(request, "background" if body.only_warms else "completion")
        prompt, sampling = infill_prompt(body, engine.model), infill_sampling(body, engine.model)
        wanted = GenerateRequest(f"infill-{uuid4().hex}", prompt, sampling, priority, read_client(request, None))
        answer = _Answer(engine.model.id, watch)
        deltas = generate(engine, wanted, ledger, cache_for(request, service.cache))
        pieces = _pieces(body, watch.watch(deltas), answer)
        if body.stream:
            return EventStream(_stream(pieces, body, answer))
        await while_connected(request.receive, _drain(pieces))
        return JSONResponse(_pick(_whole(answer), body.response_fields))

    @router.post("/tokenize")
    async def tokenize(body: TokenizeBody, request: Request) -> dict[str, list[int]]:
        """Token ids of a text; special tokens in it are plain text."""
        engine = await while_connected(request.receive, ready_engine(pool, None))
        return {"tokens": await engine.tokenize(body.content)}

    @router.get("/health", response_model=None)
    @router.get("/v1/health", response_model=None)
    async def show_health() -> Response:
        """200 once the model is ready, else 503; `/healthz` tells more."""
        if pool.health().state == "ready":
            return JSONResponse({"status": "ok"})
        message = pool.health().message or "Loading model"
        return JSONResponse({"error": {"code": 503, "message": message, "type": "unavailable_error"}}, 503)

    @router.get("/props")
    async def show_props(request: Request) -> dict[str, Any]:
        """What the model is and how much it reads."""
        model = (await while_connected(request.receive, ready_engine(pool, None))).model
        return {
            "default_generation_settings": {"id": 0, "n_ctx": model.context_window, "params": {}},
            "total_slots": _NUM_SLOTS,
            "model_alias": model.id,
            "model_path": model.id,
            "modalities": {"vision": False, "audio": False},
            "build_info": f"heron-{__version__}",
        }

    return router


async def _pieces(
    body: InfillBody, deltas: AsyncGenerator[Delta, None], answer: _Answer
) -> AsyncGenerator[tuple[str, tuple[int, ...]], None]:
    """Texts to send and the tokens they came with, noted in the answer."""
    guard = LineGuard(body.n_indent, body.t_max_predict_ms / 1000)
    async with aclosing(deltas):
        async for delta in deltas:
            text = "" if body.only_warms else guard.feed(delta.text)
            if delta.finish_reason and not guard.ended:
                text += guard.finish()
            answer.note(text, delta)
            yield text, delta.token_ids
            if guard.ended:
                answer.stop_type = "limit"
                return


async def _drain(pieces: AsyncGenerator[tuple[str, tuple[int, ...]], None]) -> None:
    async with aclosing(pieces):
        async for _ in pieces:
            pass


async def _stream(
    pieces: AsyncGenerator[tuple[str, tuple[int, ...]], None], body: InfillBody, answer: _Answer
) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(pieces):
        async for text, token_ids in pieces:
            yield {"index": 0, "content": text, "tokens": list(token_ids), "stop": False}
    yield _pick(_whole(answer) | {"content": ""}, body.response_fields)


def _whole(answer: _Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "index": 0,
        "content": answer.text,
        "tokens": [],
        "id_slot": 0,
        "stop": True,
        "model": answer.model,
        "tokens_predicted": usage.completion_tokens,
        "tokens_evaluated": usage.prompt_tokens,
        "tokens_cached": usage.cached_tokens,
        "has_new_line": "\n" in answer.text,
        "truncated": False,
        "stop_type": answer.stop_type,
        "stopping_word": "",
        "timings": _timings(answer),
    }


def _timings(answer: _Answer) -> dict[str, float]:
    usage, times = answer.usage, answer.watch.timings()
    prompt_ms = times["first_token_ms"] or 0.0
    return {
        "cache_n": usage.cached_tokens,
        **_rates("prompt", usage.prompt_tokens - usage.cached_tokens, prompt_ms),
        **_rates("predicted", usage.completion_tokens, times["total_ms"] - prompt_ms),
    }


def _rates(name: str, count: int, elapsed_ms: float) -> dict[str, float]:
    return {
        f"{name}_n": count,
        f"{name}_ms": elapsed_ms,
        f"{name}_per_token_ms": elapsed_ms / count if count else 0.0,
        f"{name}_per_second": 1000 * count / elapsed_ms if elapsed_ms else 0.0,
    }


def _pick(whole: dict[str, Any], paths: list[str] | None) -> dict[str, Any]:
    """The wanted fields, each under its whole path (`timings/prompt_n`); those that are not there are left out."""
    if paths is None:
        return whole
    picked = {}
    for path in paths:
        value: Any = whole
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            picked[path] = value
    return picked
