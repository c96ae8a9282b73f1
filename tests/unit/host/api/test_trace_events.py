"""A trace of requests and steps: what Perfetto requires of events, and where each is."""

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from heron.host.api.trace_events import Traced, make_trace
from heron.host.engine.spans import Share, StepSpan

STEPS = {
    "m": (
        StepSpan(10.1, 10.2, 0.09, (Share("a", "prefill", 96),)),
        StepSpan(10.2, 10.3, 0.09, (Share("a", "decode", 4, 3), Share("b", "prefill", 7))),
        StepSpan(10.3, 10.4, 0.09, (Share("unknown", "decode", 1),)),
    )
}
REQUESTS = [
    Traced("a", "completion of vim", 10.0, 10.2, 10.5, {"outcome": "stop"}),
    Traced("b", "chat of vim", 10.05, 0.0, 10.4, {"outcome": "cancelled"}),
]


def _spans(trace: dict[str, Any], name: str) -> list[tuple[int, int, int, int]]:
    """Process, lane, begin and duration in milliseconds of the events with a name."""
    found = [event for event in trace["traceEvents"] if event["name"] == name]
    return [(event["pid"], event["tid"], round(event["ts"] / 1e3), round(event["dur"] / 1e3)) for event in found]


def test_a_request_waits_then_is_computed_and_streamed_in_its_lane() -> None:
    trace = make_trace(REQUESTS, STEPS)
    assert _spans(trace, "completion of vim") == [(1, 1, 0, 500)]
    assert _spans(trace, "queue") == [(1, 1, 0, 100), (1, 2, 50, 150)]
    assert _spans(trace, "streaming") == [(1, 1, 200, 300)], "nothing came for the other"
    assert _spans(trace, "prefill") == [(2, 1, 100, 100), (2, 2, 200, 100)]
    assert _spans(trace, "decode") == [(2, 1, 200, 100)], "that of a request of which nothing is known is left out"
    assert len(_spans(trace, "step")) == 3


def test_an_empty_host_gives_a_trace_too() -> None:
    assert [event["ph"] for event in make_trace([], {"m": ()})["traceEvents"]] == ["M", "M", "M"]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20), st.floats(0, 1)), max_size=30))
def test_no_two_requests_of_a_lane_are_at_the_same_time(times: list[tuple[float, float, float]]) -> None:
    requests = [
        Traced(str(number), "r", begin, begin + length * part, begin + length, {})
        for number, (begin, length, part) in enumerate(times)
    ]
    events = make_trace(requests, {})["traceEvents"]
    whole = [event for event in events if event["name"] == "r"]
    assert len(whole) == len(requests)
    for one, other in combinations(whole, 2):
        if one["tid"] == other["tid"]:
            first, second = sorted((one, other), key=lambda event: (event["ts"], event["ts"] + event["dur"]))
            assert first["ts"] + first["dur"] <= second["ts"] + 1
    assert all(event["dur"] >= 0 and event["ts"] >= 0 for event in events if event["ph"] == "X")
