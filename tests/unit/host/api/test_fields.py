import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from heron.errors import InvalidRequest
from heron.host.api.constraint import make_constraint
from heron.host.api.fields import parse_content, parse_logit_bias, parse_prompt, parse_stop
from heron.host.api.schema import (
    ChatBody,
    CompletionBody,
    chat_prompt,
    chat_sampling,
    completion_prompt,
    completion_sampling,
)
from heron.wire import ModelInfo

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
MODEL = ModelInfo("m", 100, supports_fim=True, supports_chat=True)


@pytest.mark.parametrize(
    ("value", "prompt"),
    [("", ""), ("a", "a"), (["a"], "a"), ([""], ""), ([5], (5,)), ([1, 2], (1, 2)), (["\U0001f600"], "\U0001f600")],
)
def test_prompts(value: Any, prompt: object) -> None:
    assert parse_prompt(value) == prompt


def test_stops() -> None:
    assert parse_stop(None) == ()
    assert parse_stop("a") == ("a",)
    assert parse_stop(["a", "b"]) == ("a", "b")


def test_logit_bias() -> None:
    assert parse_logit_bias(None) == ()
    assert parse_logit_bias({"1": -100, "2": 0.5}) == ((1, -100.0), (2, 0.5))


def test_content() -> None:
    assert parse_content(None) == ""
    assert parse_content([]) == ""
    assert parse_content([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]) == "ab"


@given(st.dictionaries(st.sampled_from(sorted(CompletionBody.model_fields)), JSON))
def test_any_json_is_a_completion_or_a_refusal(fields: dict[str, Any]) -> None:
    try:
        body = CompletionBody.model_validate(json.loads(json.dumps({"prompt": "x"} | fields)))
        prompt, sampling = completion_prompt(body, MODEL), completion_sampling(body)
    except (ValidationError, InvalidRequest):
        return
    json.dumps(repr((prompt, sampling))).encode()


@given(st.dictionaries(st.sampled_from(sorted(ChatBody.model_fields)), JSON))
def test_any_json_is_a_chat_or_a_refusal(fields: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": "x"}]
    try:
        body = ChatBody.model_validate(json.loads(json.dumps({"messages": messages} | fields)))
        constraint = make_constraint(body.wishes, MODEL)
        prompt, sampling = chat_prompt(body, MODEL, constraint), chat_sampling(body, MODEL, constraint)
    except (ValidationError, InvalidRequest):
        return
    json.dumps(repr((prompt, sampling))).encode()
