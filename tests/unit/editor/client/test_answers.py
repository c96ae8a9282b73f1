import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.client.answers import read_delta, read_error, read_health, read_models
from heron.errors import (
    HeronError,
    InvalidRequest,
    ModelNotReady,
    Overloaded,
    PromptTooLong,
    Unauthorized,
    WorkerCrashed,
)
from heron.wire import Delta, Health, ModelInfo, Usage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
ANSWER_KEYS = st.sampled_from(["choices", "text", "finish_reason", "usage", "error", "data", "id", "state", "logprobs"])
ANSWERS = st.recursive(
    JSON, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANSWER_KEYS, inner, max_size=4), max_leaves=12
)


def test_a_delta() -> None:
    body = {"choices": [{"text": "ab", "finish_reason": None}], "usage": None}
    assert read_delta(body) == Delta("ab")


def test_the_usage_may_come_in_an_event_of_its_own() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    assert read_delta({"choices": [], "usage": usage}) == Delta(usage=Usage(5, 2, 4))


def test_an_error_event_is_raised() -> None:
    with pytest.raises(WorkerCrashed, match="gone"):
        read_delta({"error": {"message": "gone", "code": "worker_crashed"}})


def test_models_of_herons_host_are_offered_once_their_capabilities_are_known() -> None:
    loading = {"id": "q", "owned_by": "heron"}
    loaded = {**loading, "context_window": 2048, "capabilities": {"fim": True, "chat": False}}
    assert read_models({"data": [loading]}) == ()
    assert read_models({"data": [loaded]}) == (ModelInfo("q", 2048, supports_fim=True),)


def test_a_foreign_model_is_taken_to_have_no_capabilities() -> None:
    assert read_models({"data": [{"id": "m", "max_model_len": 99}]}) == (ModelInfo("m", 99),)


def test_health() -> None:
    body = {"state": "loading", "model": "q", "message": "x", "fraction": 0.5}
    assert read_health(body) == Health("loading", "q", "x", 0.5)
    with pytest.raises(HeronError):
        read_health({"status": "ok"})


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (503, {"message": "m", "code": "model_not_ready"}, ModelNotReady),
        (400, {"message": "m", "code": "context_length_exceeded"}, PromptTooLong),
        (401, {"message": "m", "code": "invalid_api_key"}, Unauthorized),
        (429, {"message": "m", "code": None}, Overloaded),
        (422, {"message": "m"}, InvalidRequest),
        (500, "m", HeronError),
    ],
)
def test_errors_become_ours(status: int, error: object, kind: type[HeronError]) -> None:
    found = read_error(status, json.dumps({"error": error}).encode())
    assert type(found) is kind
    assert found.message == "m"


def test_an_error_that_is_not_json_names_the_status() -> None:
    assert "502" in str(read_error(502, b"<html>"))


@given(ANSWERS)
def test_any_json_is_read_or_refused_with_our_error(body: object) -> None:
    for read in (read_delta, read_models, read_health):
        with suppress(HeronError):
            read(body)
    read_error(500, json.dumps(body).encode())
