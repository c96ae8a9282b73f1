"""What an OpenAI-compatible server answers, read into Heron's terms; lenient, because foreign servers differ."""

import json
from typing import Any, get_args

from heron.errors import HeronError, HostUnreachable, InvalidRequest, Overloaded, Unauthorized
from heron.wire import Delta, Health, LoadState, ModelInfo, TokenLogprob, Usage

_DEFAULT_WINDOW = 4096


def read_delta(body: Any) -> Delta:
    """One event of a completion stream. Raises the HeronError an error event carries."""
    if not isinstance(body, dict):
        raise HeronError("The server sent an event that is not an object.")
    if "error" in body:
        raise _error(500, body["error"])
    choices = body.get("choices") or [{}]
    choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {}
    finish = choice.get("finish_reason")
    return Delta(
        text=_text(choice.get("text")),
        finish_reason=None if finish is None else "length" if finish == "length" else "stop",
        usage=_read_usage(body.get("usage")),
        logprobs=_read_logprobs(choice.get("logprobs")),
    )


class CompletionReader:
    """Reads a completion's stream, whose events stand for themselves."""

    def read(self, body: Any) -> Delta:
        return read_delta(body)

    def end(self) -> tuple[Delta, ...]:
        return ()


def read_models(body: Any) -> tuple[ModelInfo, ...]:
    """The models of `/v1/models`. A foreign server tells no capabilities and is taken to have none.

    Heron's host tells them once the model is loaded; until then it offers none.
    """
    entries = body.get("data") if isinstance(body, dict) else None
    listed = entries if isinstance(entries, list) else []
    known = [entry for entry in listed if isinstance(entry, dict) and entry.get("id")]
    return tuple(read_model(entry) for entry in known if "capabilities" in entry or entry.get("owned_by") != "heron")


def read_health(body: Any) -> Health:
    """The answer of `/healthz`. Raises HeronError if it is not Heron's."""
    if not isinstance(body, dict) or body.get("state") not in get_args(LoadState):
        raise HeronError("The server's health answer is not Heron's.")
    fraction = body.get("fraction")
    number = float(fraction) if isinstance(fraction, int | float) else None
    return Health(
        body["state"], _text(body.get("model")), _text(body.get("message")), number, _text(body.get("notice"))
    )


def read_error(status: int, content: bytes) -> HeronError:
    """The error of an answer that failed."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return _error(status, body.get("error") if isinstance(body, dict) else None)


def _error(status: int, detail: Any) -> HeronError:
    """Heron's own error by its code where there is one, else by the status."""
    values = detail if isinstance(detail, dict) else {"message": detail}
    message = _text(values.get("message")) or f"The server answered {status}."
    for kind in _all_errors(HeronError):
        if values.get("code") == kind.code and kind.code != HeronError.code:
            return kind(message)
    return _kind_of(status)(message)


def _kind_of(status: int) -> type[HeronError]:
    match status:
        case 401 | 403:
            return Unauthorized
        case 429:
            return Overloaded
        case 502 | 504:
            return HostUnreachable
        case _:
            return InvalidRequest if 400 <= status < 500 and status != 404 else HeronError


def _all_errors(kind: type[HeronError]) -> list[type[HeronError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all_errors(child))]


def read_model(entry: dict[str, Any]) -> ModelInfo:
    window = entry.get("context_window") or entry.get("max_model_len")
    capabilities = entry.get("capabilities")
    can = capabilities if isinstance(capabilities, dict) else {}
    return ModelInfo(
        id=str(entry["id"]),
        context_window=window if isinstance(window, int) else _DEFAULT_WINDOW,
        supports_fim=can.get("fim") is True,
        supports_chat=can.get("chat") is True,
        supports_tools=can.get("tools") is True,
    )


def _read_usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached))


def _read_logprobs(logprobs: Any) -> tuple[TokenLogprob, ...]:
    """Text and log probability of each token; servers do not tell the ids here."""
    if not isinstance(logprobs, dict):
        return ()
    texts, values = logprobs.get("tokens"), logprobs.get("token_logprobs")
    pairs = zip(texts, values, strict=False) if isinstance(texts, list) and isinstance(values, list) else ()
    return tuple(TokenLogprob(_text(text), -1, value) for text, value in pairs if isinstance(value, float | int))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
