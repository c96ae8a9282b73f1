"""The ranges of sampling parameters."""

import math
from dataclasses import replace
from typing import Any

import pytest

from heron.errors import InvalidRequest
from heron.host.engine.sampling_limits import validate_sampling
from heron.wire import Sampling


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", -3),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", math.nan),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("top_p", math.nan),
        ("top_k", -1),
        ("seed", 2**64),
        ("logprobs", 21),
        ("logprobs", -1),
        ("stop", ("",)),
        ("stop", ("x",) * 17),
        ("logit_bias", ((32, 1.0),)),
        ("logit_bias", ((-1, 1.0),)),
        ("logit_bias", ((1, math.inf),)),
        ("logit_bias", ((1, math.nan),)),
    ],
)
def test_what_is_out_of_range_is_named(param: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=param) as caught:
        validate_sampling(replace(Sampling(), **{param: value}), 32)
    assert caught.value.param == param


def test_what_is_at_the_border_is_allowed() -> None:
    widest = Sampling(10**400, 2.0, 1.0, 10**9, 2**63, ("x",) * 16, ((31, -100.0), (0, 100.0)), 20)
    validate_sampling(widest, 32)
    validate_sampling(Sampling(1, 0.0, 1e-9, 0, -(2**63), (), (), 0), 32)
