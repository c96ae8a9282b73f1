"""The messages between host and worker: what is written is what is read, and nothing else is taken for a message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron import errors
from heron.errors import HeronError, InvalidRequest, Overloaded, SystemFault
from heron.host.engine import pipe, scripted
from heron.settings import Settings
from heron.wire import Delta, GenerateRequest, TextPrompt

# Lone surrogates are texts too: a client can send them.
st.register_type_strategy(str, st.text(st.characters(codec=None), max_size=8))
st.register_type_strategy(float, st.floats(allow_nan=False))
HOST_MESSAGES = st.one_of(
    st.builds(pipe.Init, st.just(Settings()), st.builds(scripted.Script)),
    *map(st.builds, (pipe.Generate, pipe.Abort, pipe.Tokenize, pipe.ReadMetrics, pipe.ReadSteps, pipe.Close)),
)
WORKER_MESSAGES = st.one_of(
    *map(
        st.builds,
        (
            pipe.HealthChanged,
            pipe.Loaded,
            pipe.LoadFailed,
            pipe.DeltaSent,
            pipe.RequestFailed,
            pipe.TokensRead,
            pipe.MetricsRead,
            pipe.StepsRead,
        ),
    )
)


@given(HOST_MESSAGES)
def test_host_messages_survive_the_pipe(message: pipe.HostMessage) -> None:
    line = pipe.write_message(message)
    assert line.count(b"\n") == 1
    assert pipe.read_host_message(line) == message


@given(WORKER_MESSAGES)
def test_worker_messages_survive_the_pipe(message: pipe.WorkerMessage) -> None:
    assert pipe.read_worker_message(pipe.write_message(message)) == message


@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode),
    )
)
def test_anything_else_is_a_fault(line: bytes) -> None:
    with pytest.raises(SystemFault, match="Not a message"):
        pipe.read_host_message(line)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "Abort"},
        {"type": "Abort", "request_id": 3},
        {"type": "Abort", "request_id": "a", "more": 1},
        {"type": "Nothing"},
        {"type": "DeltaSent", "request_id": "a", "delta": {"type": "Delta"}},
        {"type": "Generate", "request": {"type": "GenerateRequest", "request_id": "a", "prompt": {"type": "Delta"}}},
        {
            "type": "Generate",
            "request": {
                "type": "GenerateRequest",
                "request_id": "a",
                "prompt": {"type": "TextPrompt", "text": "x"},
                "priority": "urgent",
            },
        },
        {"type": "Tokenize", "call_id": "a", "text": None},
    ],
)
def test_what_almost_is_a_message_is_a_fault(line: object) -> None:
    with pytest.raises(SystemFault, match="Not a message"):
        pipe.read_host_message(json.dumps(line).encode())


def test_what_is_at_its_default_is_not_sent() -> None:
    line = pipe.write_message(pipe.DeltaSent("a", Delta("x")))
    assert json.loads(line) == {"type": "DeltaSent", "request_id": "a", "delta": {"type": "Delta", "text": "x"}}


def _error_classes(kind: type[HeronError] = HeronError) -> list[type[HeronError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _error_classes(below))]


@pytest.mark.parametrize("kind", [kind for kind in _error_classes() if kind.__module__ == errors.__name__])
def test_every_error_is_raised_as_itself_on_the_other_side(kind: type[HeronError]) -> None:
    error = pipe.error_of(pipe.failure_of(kind("What went wrong.", hint="What to do.")))
    assert type(error) is kind
    assert str(error) == "What went wrong. What to do."


def test_errors_keep_what_they_carry() -> None:
    invalid = pipe.error_of(pipe.failure_of(InvalidRequest("Bad.", param="top_p")))
    assert isinstance(invalid, InvalidRequest)
    assert invalid.param == "top_p"
    overloaded = pipe.error_of(pipe.failure_of(Overloaded("Full.", retry_after_s=2.5)))
    assert isinstance(overloaded, Overloaded)
    assert overloaded.retry_after_s == 2.5
    assert isinstance(pipe.error_of(pipe.Failure("model_error_of_tomorrow", "x")), SystemFault)
    assert "ZeroDivisionError" in pipe.failure_of(ZeroDivisionError("by zero")).message


def test_codes_of_errors_are_unique() -> None:
    codes = [kind.code for kind in _error_classes() if kind.__module__ == errors.__name__]
    assert len(codes) == len(set(codes))


def test_a_long_prompt_fits_a_line() -> None:
    request = GenerateRequest("a", TextPrompt("é" * 1_000_000))
    line = pipe.write_message(pipe.Generate(request))
    assert len(line) < pipe.MAX_LINE_BYTES
    assert pipe.read_host_message(line) == pipe.Generate(request)
