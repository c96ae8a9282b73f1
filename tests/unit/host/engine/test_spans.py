"""What steps were spent on: told as counted, over the pipe by the names that requests have in the host."""

import time
from dataclasses import replace

from heron.host.engine.pipe import HostMessage, read_host_message, read_worker_message, write_message
from heron.host.engine.pipe_engine import PipeEngine
from heron.host.engine.pipe_server import PipeServer
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.scripted import Script, ScriptedEngine
from heron.host.engine.spans import KEPT_STEPS, Share, StepSpan, new_spans
from heron.host.engine.step_loop import StepLoop, Vocabulary
from unit.host.engine.fake_runner import FakeRunner
from unit.host.engine.sequences import letter_of, make_sequence


def test_a_loop_tells_what_it_counts() -> None:
    began = time.monotonic()
    loop = StepLoop(FakeRunner(20, 4), Vocabulary(frozenset(), letter_of), SchedulerLimits(max_step_tokens=6))
    for name, prompt in (("a", [1] * 10), ("b", [2] * 7)):
        loop.scheduler.add(replace_id(make_sequence(prompt, 3), name))
    while loop.has_work:
        loop.step()
    shares = [share for span in loop.spans for share in span.shares]
    prefilled = [share for share in shares if share.work == "prefill"]
    assert len(loop.spans) == loop.counters.steps
    assert sum(share.num_tokens for share in prefilled) == loop.counters.prefilled_tokens == 17
    assert {share.request_id for share in shares} == {"a", "b"}
    assert sum(share.work == "decode" for share in shares) == 2 * (3 - 1)
    times = [time_s for span in loop.spans for time_s in (span.begin_s, span.end_s)]
    assert times == sorted(times)
    assert began <= times[0]
    assert times[-1] <= time.monotonic()
    assert abs(sum(span.run_s for span in loop.spans) - loop.counters.run_s) < 1e-9


def replace_id(sequence: object, name: str) -> object:
    return replace(sequence, request_id=name)  # type: ignore[type-var]


def test_old_steps_are_forgotten() -> None:
    spans = new_spans()
    spans.extend(StepSpan(float(number), number + 1.0, 0.5, ()) for number in range(KEPT_STEPS + 5))
    assert (len(spans), spans[0].begin_s) == (KEPT_STEPS, 5.0)


class Stepping(ScriptedEngine):
    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        return (StepSpan(since_s, 2.0, 0.5, (Share("chat#7#3", "decode", 2, 1),)),)


async def test_over_the_pipe_requests_have_the_hosts_names() -> None:
    server = PipeServer(Stepping(), lambda message: engine.receive(read_worker_message(write_message(message))))

    def send(message: HostMessage) -> None:
        server.receive(read_host_message(write_message(message)))

    engine = PipeEngine(Script().model, send)
    assert await engine.steps(1.0) == (StepSpan(1.0, 2.0, 0.5, (Share("chat#7", "decode", 2, 1),)),)
    await server.close()
