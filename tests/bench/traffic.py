"""Random requests to a host: every kind of prompt, priority and ending, from a seed."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from heron.wire import CLIENT_HEADER, PRIORITY_HEADER

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
HANG_S = 600.0
_WORDS = ("def", "class", "return", "value", "items", "for", "name", "in", "self", "index", "range", "path", "node")
_SYSTEM = "You are a programming assistant. Answer briefly and show code only where it helps. " * 4
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "count": {"type": "integer"}},
    "required": ["name", "count"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and when its client leaves: after so many events, after so many seconds, or when all is read."""

    kind: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    leave_after_events: int | None = None
    leave_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    ending: str
    """`done`, `left`, a refusal as `400 code`, or what went wrong, beginning with `bad`"""
    seconds: float


KINDS = ("infill", "text", "chat", "schema", "refused")


def draw_call(rng: random.Random, clients: int, kinds: tuple[str, ...] = KINDS) -> Call:
    """A random call of one of so many clients."""
    kind = rng.choice(kinds)
    path, body = _DRAWS[kind](rng)
    priority = rng.choice(("completion", "chat", "background"))
    headers = {CLIENT_HEADER: f"client-{rng.randrange(clients)}", PRIORITY_HEADER: priority}
    ending = rng.random()
    after_events = rng.randrange(1, 12) if ending < 0.25 else None
    after_s = rng.random() * rng.random() if ending > 0.8 else None
    sampling = {
        "max_tokens": rng.choice((1, 4, 16, 48)),
        "temperature": rng.choice((0.0, 0.8)),
        "seed": rng.randrange(9),
    }
    body = sampling | body | {"stream": after_events is not None or rng.random() < 0.7}
    return Call(kind, path, body, headers, after_events, after_s)


async def run_call(http: httpx.AsyncClient, call: Call) -> Outcome:
    """Send a call, read as much as its client wants, and say how it ended."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(call.leave_after_s or HANG_S):
            ending = await _read(http, call)
    except TimeoutError:
        ending = "left" if call.leave_after_s else f"bad: no end after {HANG_S:g} s"
    except httpx.HTTPError as error:
        ending = f"bad: {type(error).__name__} {error}"
    return Outcome(call.kind, ending, time.monotonic() - began)


async def _read(http: httpx.AsyncClient, call: Call) -> str:
    async with http.stream("POST", call.path, json=call.body, headers=call.headers) as response:
        if response.status_code != 200:
            return _refusal(call, response.status_code, await response.aread(), response.headers)
        if not call.body["stream"]:
            return _check_whole(call, json.loads(await response.aread()))
        return await _read_events(response, call)


async def _read_events(response: httpx.Response, call: Call) -> str:
    num_events, last = 0, ""
    async for line in response.aiter_lines():
        if not line.startswith("data: "):
            continue
        if '"error"' in line[:20]:
            return f"bad: {line[:200]}"
        num_events, last = num_events + 1, line
        if num_events == call.leave_after_events:
            return "left"
    return "done" if last == "data: [DONE]" else "bad: the stream broke off"


def _refusal(call: Call, status: int, content: bytes, headers: httpx.Headers) -> str:
    code = json.loads(content)["error"]["code"]
    allowed = status == 429 or (status == 400 and call.kind == "refused")
    if status == 429 and int(headers["Retry-After"]) < 1:
        return "bad: 429 without a time to come back"
    return f"{status} {code}" if allowed else f"bad: {status} {content[:200]!r}"


def _check_whole(call: Call, answer: dict[str, Any]) -> str:
    (choice,) = answer["choices"]
    if call.kind == "schema" and choice["finish_reason"] == "stop":
        try:
            found = json.loads(choice["message"]["content"])
        except ValueError:
            return f"bad: not JSON: {choice['message']['content'][:80]!r}"
        if set(found) != {"name", "count"}:
            return f"bad: not of the schema: {found}"
    return "done" if choice["finish_reason"] in ("stop", "length") else f"bad: {choice['finish_reason']}"


def _text(rng: random.Random, longest: int) -> str:
    words = [rng.choice(_WORDS) for _ in range(rng.randrange(1, longest))]
    return " ".join(words)


def _draw_infill(rng: random.Random) -> tuple[str, dict[str, Any]]:
    return COMPLETIONS, {"prompt": "def " + _text(rng, 300), "suffix": _text(rng, 40)}


def _draw_text(rng: random.Random) -> tuple[str, dict[str, Any]]:
    prompt = [rng.randrange(1000) for _ in range(rng.randrange(1, 200))] if rng.random() < 0.3 else _text(rng, 300)
    return COMPLETIONS, {"prompt": prompt, "stop": rng.choice(([], ["return"]))}


def _draw_chat(rng: random.Random) -> tuple[str, dict[str, Any]]:
    turns: list[dict[str, str]] = [{"role": "system", "content": _SYSTEM}] if rng.random() < 0.8 else []
    for _ in range(rng.randrange(3)):
        turns.append({"role": "user", "content": _text(rng, 60)})
        turns.append({"role": "assistant", "content": _text(rng, 60)})
    return CHAT, {"messages": [*turns, {"role": "user", "content": _text(rng, 60)}]}


def _draw_schema(rng: random.Random) -> tuple[str, dict[str, Any]]:
    messages = [{"role": "user", "content": f"Describe {rng.choice(_WORDS)} as JSON."}]
    form = {"type": "json_schema", "json_schema": {"name": "thing", "schema": _SCHEMA}}
    return CHAT, {"messages": messages, "response_format": form}


def _draw_refused(rng: random.Random) -> tuple[str, dict[str, Any]]:
    wrong: list[dict[str, Any]] = [
        {"prompt": "word " * 9000},
        {"prompt": "x", "temperature": 9},
        {"prompt": "x", "max_tokens": 0},
        {"prompt": [2**30]},
        {"prompt": 3},
    ]
    return COMPLETIONS, rng.choice(wrong)


_DRAWS: Mapping[str, Callable[[random.Random], tuple[str, dict[str, Any]]]] = {
    "infill": _draw_infill,
    "text": _draw_text,
    "chat": _draw_chat,
    "schema": _draw_schema,
    "refused": _draw_refused,
}
