"""Requests and engine steps as a trace that chrome://tracing and Perfetto show.

Format: "Trace Event Format", Google, complete (`X`) and metadata (`M`) events; times in microseconds. Overlapping
requests get lanes of their own, the same in the host's process and in each engine's. There is no text in it.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heron.host.engine.spans import Share, StepSpan

Event = dict[str, Any]
Steps = Mapping[str, Sequence[StepSpan]]
_HOST, _FIRST_ENGINE = 1, 2
_STEPS_LANE = 0


@dataclass(frozen=True, slots=True)
class Traced:
    """A request: seconds of the monotonic clock, `first_s` 0 while nothing came, and what else is known of it."""

    request_id: str
    name: str
    begin_s: float
    first_s: float
    end_s: float
    details: Mapping[str, Any]


def make_trace(requests: Sequence[Traced], steps: Steps) -> dict[str, Any]:
    """The whole file. Times begin with the earliest of all."""
    lanes = _assign_lanes(requests)
    begins = [one.begin_s for one in requests] + [span.begin_s for spans in steps.values() for span in spans]
    clock = _Clock(min(begins, default=0.0))
    events = [*_host_events(requests, steps, lanes, clock)]
    for process, (model, spans) in enumerate(sorted(steps.items()), _FIRST_ENGINE):
        events += _engine_events(process, model, spans, lanes, clock)
    return {"traceEvents": events, "displayTimeUnit": "ms"}


@dataclass(frozen=True, slots=True)
class _Clock:
    zero_s: float

    def event(self, place: tuple[int, int], name: str, times_s: tuple[float, float], details: Any) -> Event:
        begin_s, end_s = times_s
        times = {"ts": round((begin_s - self.zero_s) * 1e6, 1), "dur": round((end_s - begin_s) * 1e6, 1)}
        return {"name": name, "cat": "heron", "ph": "X", "pid": place[0], "tid": place[1], **times, "args": details}


def _assign_lanes(requests: Sequence[Traced]) -> dict[str, int]:
    """A lane for each request by id, from 1 on, so that those at the same time are in different ones."""
    lanes: dict[str, int] = {}
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    for one in sorted(requests, key=lambda one: one.begin_s):
        while busy and busy[0][0] <= one.begin_s:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy) + 1
        lanes[one.request_id] = lane
        heapq.heappush(busy, (one.end_s, lane))
    return lanes


def _host_events(requests: Sequence[Traced], steps: Steps, lanes: Mapping[str, int], clock: _Clock) -> Iterator[Event]:
    """Each request, and in it what it waited and how long its answer came."""
    yield from _names(_HOST, "host", {lane: f"requests {lane}" for lane in lanes.values()})
    started = _first_steps(steps)
    for one in requests:
        place = (_HOST, lanes[one.request_id])
        yield clock.event(place, one.name, (one.begin_s, one.end_s), {"id": one.request_id, **one.details})
        begun_s = started.get(one.request_id, one.first_s or one.end_s)
        yield clock.event(place, "queue", (one.begin_s, max(one.begin_s, min(begun_s, one.end_s))), {})
        if one.first_s:
            yield clock.event(place, "streaming", (one.first_s, one.end_s), {})


def _engine_events(
    process: int, model: str, spans: Sequence[StepSpan], lanes: Mapping[str, int], clock: _Clock
) -> Iterator[Event]:
    """Each step, and below it what it computed for each request that is known."""
    rows = {lanes[share.request_id] for span in spans for share in span.shares if share.request_id in lanes}
    yield from _names(process, f"engine {model}", {_STEPS_LANE: "steps"} | {row: f"requests {row}" for row in rows})
    for span in spans:
        times = (span.begin_s, span.end_s)
        tokens = sum(share.num_tokens for share in span.shares)
        details = {"requests": len(span.shares), "tokens": tokens, "model_ms": round(span.run_s * 1e3, 3)}
        yield clock.event((process, _STEPS_LANE), "step", times, details)
        for share in span.shares:
            if lane := lanes.get(share.request_id):
                yield clock.event((process, lane), share.work, times, _describe(share))


def _describe(share: Share) -> dict[str, Any]:
    return {"id": share.request_id, "tokens": share.num_tokens, "drafted": share.num_drafted}


def _first_steps(steps: Steps) -> dict[str, float]:
    """When each request's first step began, by id."""
    first: dict[str, float] = {}
    for spans in steps.values():
        for span in spans:
            for share in span.shares:
                first.setdefault(share.request_id, span.begin_s)
    return first


def _names(process: int, name: str, lanes: Mapping[int, str]) -> Iterator[Event]:
    yield {"name": "process_name", "ph": "M", "pid": process, "tid": 0, "args": {"name": name}}
    for lane, label in sorted(lanes.items()):
        yield {"name": "thread_name", "ph": "M", "pid": process, "tid": lane, "args": {"name": label}}
