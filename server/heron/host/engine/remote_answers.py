"""What an OpenAI-compatible server streams, read into deltas: lenient, because servers differ."""

import json
from collections.abc import AsyncIterator
from typing import Any

from heron.errors import HeronError, HostUnreachable, InvalidRequest, Overloaded, PromptTooLong, Unauthorized
from heron.host.engine.pipe import Failure, error_of
from heron.wire import Delta, FinishReason, ModelInfo, TokenLogprob, Usage

_DEFAULT_WINDOW = 4096


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """The objects of a server-sent event stream, up to `[DONE]`. HostUnreachable for one that is no JSON."""
    async for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        try:
            body = json.loads(data)
        except ValueError as error:
            raise HostUnreachable(f"The remote server sent an event that is not JSON: {error}.") from error
        if isinstance(body, dict):
            yield body


def read_delta(body: dict[str, Any]) -> Delta:
    """One event of a completion or a chat. Raises the error that it carries."""
    if "error" in body:
        raise read_error(500, body)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    content = choice.get("delta")
    told = content.get("content") if isinstance(content, dict) else choice.get("text")
    finish = choice.get("finish_reason")
    reason: FinishReason | None = None if finish is None else "length" if finish == "length" else "stop"
    text = told if isinstance(told, str) else ""
    return Delta(text, logprobs=_read_logprobs(choice.get("logprobs")), finish_reason=reason, usage=_read_usage(body))


def read_model(body: Any, wanted: str, place: str) -> ModelInfo:
    """The model of `/v1/models` that is wanted, else the first. Heron's host says what it can; others chat only."""
    listed = body.get("data") if isinstance(body, dict) else None
    models = [entry for entry in listed or () if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    if not models:
        raise HostUnreachable("The remote server offers no model.", hint="Wait until it has loaded one.")
    found = next((entry for entry in models if entry["id"] == wanted), None if wanted else models[0])
    if found is None:
        names = ", ".join(entry["id"] for entry in models)
        raise InvalidRequest(f"The remote server does not offer {wanted!r}; it has {names}.", param="model")
    told = found.get("capabilities")
    can = told if isinstance(told, dict) else {"chat": True}
    window = found.get("context_window") or found.get("max_model_len")
    return ModelInfo(
        found["id"],
        window if type(window) is int else _DEFAULT_WINDOW,
        supports_fim=can.get("fim") is True,
        supports_chat=can.get("chat") is True,
        place=place,
    )


def read_error(status: int, body: Any) -> HeronError:
    """One of our errors for a failed answer: by Heron's own code, else by the status."""
    told = body.get("error") if isinstance(body, dict) else None
    detail = told if isinstance(told, dict) else {"message": told}
    message = detail.get("message")
    text = message if isinstance(message, str) and message else f"The remote server answered {status}."
    if "maximum context length" in text:
        return PromptTooLong(text)
    if isinstance(code := detail.get("code"), str) and (error := error_of(Failure(code, text))).code == code:
        return error
    kinds: dict[int, type[HeronError]] = {401: Unauthorized, 403: Unauthorized, 429: Overloaded}
    return kinds.get(status, InvalidRequest if 400 <= status < 500 else HostUnreachable)(text)


def _read_logprobs(told: Any) -> tuple[TokenLogprob, ...]:
    """Those of a completion or a chat, which OpenAI shapes otherwise; token ids are not told."""
    if not isinstance(told, dict):
        return ()
    if isinstance(content := told.get("content"), list):
        return tuple(map(_read_chat_logprob, content))
    if not isinstance(told.get("tokens"), list):
        return ()
    values, tops = told.get("token_logprobs") or (), told.get("top_logprobs") or [{}] * len(told["tokens"])
    return tuple(
        TokenLogprob(text, -1, value, tuple((other, -1, chance) for other, chance in (top or {}).items()))
        for text, value, top in zip(told["tokens"], values, tops, strict=False)
    )


def _read_chat_logprob(entry: dict[str, Any]) -> TokenLogprob:
    top = tuple((other["token"], -1, other["logprob"]) for other in entry.get("top_logprobs") or ())
    return TokenLogprob(entry["token"], -1, entry["logprob"], top)


def _read_usage(body: dict[str, Any]) -> Usage | None:
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"), cached)
    return Usage(*(count if type(count) is int else 0 for count in counts))
