"""What a request is to MLC-LLM: the arguments of its `completions.create`, and what it cannot be asked.

The prompt goes as token ids rendered by our own templates: MLC-LLM's chat path refuses histories with tool calls, and
its `suffix` is only put behind the answer.
"""

import json
from dataclasses import dataclass
from typing import Any

from heron.errors import InvalidRequest, UnsupportedFeature
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import Grammar, Sampling

MAX_LOGPROBS = 5
"""Most alternatives a token that MLC-LLM tells of a completion."""
_FORMATS = ("json_object", "json_schema")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of `completions.create`; `stops` are the client's strings and the names of the tokens that end."""

    token_ids: tuple[int, ...]
    max_tokens: int
    stops: tuple[str, ...]
    options: dict[str, Any]

    def arguments(self, request_id: str) -> dict[str, Any]:
        """Its keyword arguments. The id has to be one that was never used: a second use hangs the first."""
        return {
            "prompt": list(self.token_ids),
            "max_tokens": self.max_tokens,
            "stop": list(self.stops) or None,
            "stream": True,
            "stream_options": {"include_usage": True},
            "request_id": request_id,
            **self.options,
        }


def make_ask(token_ids: list[int], max_tokens: int, sampling: Sampling, tokenizer: Tokenizer) -> Ask:
    """Raises UnsupportedFeature for what MLC-LLM cannot do, by the parameter's name."""
    if sampling.top_k > 1 and sampling.temperature > 0:
        raise _refuse("top_k", "no limit to the number of tokens; use top_p", str(sampling.top_k))
    if sampling.logprobs is not None and sampling.logprobs > MAX_LOGPROBS:
        raise _refuse("logprobs", f"at most {MAX_LOGPROBS}", str(sampling.logprobs))
    options: dict[str, Any] = {
        "temperature": 0.0 if sampling.top_k == 1 else sampling.temperature,
        "top_p": sampling.top_p,
        "seed": None if sampling.seed is None else sampling.seed % 2**31,
        "logprobs": sampling.logprobs,
        "logit_bias": dict(sampling.logit_bias) or None,
        "response_format": _response_format(sampling.grammar),
    }
    given = {name: value for name, value in options.items() if value is not None}
    return Ask(tuple(token_ids), max_tokens, (*sampling.stop, *_ending_names(tokenizer)), given)


def _ending_names(tokenizer: Tokenizer) -> tuple[str, ...]:
    """How the tokens are written that end an answer: MLC-LLM itself stops only at those of its conversation."""
    return tuple(name for token_id in sorted(tokenizer.stop_ids) if (name := tokenizer.token_name(token_id)))


def _response_format(grammar: Grammar | None) -> dict[str, str] | None:
    if grammar is None:
        return None
    if grammar.kind not in _FORMATS:
        raise _refuse("grammar", " and ".join(_FORMATS), grammar.kind)
    if grammar.kind == "json_object":
        return {"type": "json_object"}
    return {"type": "json_object", "schema": _plain_schema(grammar.text)}


def _plain_schema(text: str) -> str:
    """The schema without what is said to our own grammar engine."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"grammar: it is not a JSON schema: {error}.", param="grammar") from None
    if isinstance(schema, dict):
        schema.pop("x-guidance", None)
    return json.dumps(schema, ensure_ascii=False)


def _refuse(param: str, allowed: str, given: str) -> UnsupportedFeature:
    message = f"{param}: {given} is not supported by the mlc backend, which takes {allowed}."
    return UnsupportedFeature(message, param=param, hint="Heron's own engine does it: engine.backend = tvm.")
