"""What sampling parameters may be. Apart from the sampler, so that who only checks does not load numpy."""

import math
from collections.abc import Callable

from heron.errors import InvalidRequest
from heron.wire import Sampling

MAX_STOPS = 16
MAX_LOGPROBS = 20


def validate_sampling(sampling: Sampling, vocab_size: int) -> None:
    """Raise InvalidRequest, naming the parameter and what is allowed, unless every parameter is in range."""
    _require("max_tokens", sampling.max_tokens, lambda value: 1 <= value < math.inf, "at least 1")
    _require("temperature", sampling.temperature, lambda value: 0 <= value <= 2, "from 0 to 2")
    _require("top_p", sampling.top_p, lambda value: 0 < value <= 1, "above 0 and at most 1")
    _require("top_k", sampling.top_k, lambda value: 0 <= value < math.inf, "at least 0 (0: no limit)")
    _require("seed", sampling.seed or 0, lambda value: -(2**63) <= value < 2**64, "a 64-bit whole number")
    _require("logprobs", sampling.logprobs or 0, lambda value: 0 <= value <= MAX_LOGPROBS, f"from 0 to {MAX_LOGPROBS}")
    _require("stop", len(sampling.stop), lambda value: value <= MAX_STOPS, f"at most {MAX_STOPS} strings")
    if "" in sampling.stop:
        raise InvalidRequest("stop: a stop string is empty.", param="stop")
    for token_id, bias in sampling.logit_bias:
        _require("logit_bias", token_id, lambda value: 0 <= value < vocab_size, f"a token id below {vocab_size}")
        _require("logit_bias", bias, lambda value: -100 <= value <= 100, "a bias from -100 to 100")


def _require(param: str, value: float, allowed: Callable[[float], bool], range_text: str) -> None:
    if not allowed(value):
        raise InvalidRequest(f"{param}: {value} is not allowed; it must be {range_text}.", param=param)
