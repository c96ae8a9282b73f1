"""What is held of a stream, for how long, and that nothing of it changes but where it is cut."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from heron.errors import SystemFault
from heron.host.engine.merging import INTERVAL_S, Merger, Outcome, join_deltas
from heron.host.engine.sequence import PRIORITIES, Sequence
from heron.wire import Delta, Priority, TokenLogprob, ToolCall, Usage
from unit.host.engine.sequences import make_sequence


@dataclass
class Clock:
    """Time that stands still until it is told to go on."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Reader:
    """A merger, the clock it looks at, and what it passed on."""

    clock: Clock = field(default_factory=Clock)
    passed: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.merger = Merger(INTERVAL_S, self.clock)

    def step(self, *outcomes: Outcome) -> list[str]:
        """What a step lets out, as text; an error by its name."""
        due = self.merger.take(outcomes)
        self.passed += due
        return [what.text if isinstance(what, Delta) else type(what).__name__ for _, what in due]

    def wait(self, seconds: float = 2 * INTERVAL_S) -> None:
        self.clock.now_s += seconds


def make_stream(priority: Priority = "chat") -> Sequence:
    sequence = make_sequence([1, 2], priority=priority)
    sequence.lane = PRIORITIES.index(priority)
    return sequence


def make_delta(number: int, text: str = "", *, last: bool = False) -> Delta:
    """The delta of an answer's token with this number, from 1 on."""
    logprob = TokenLogprob(text, number, -float(number))
    usage = Usage(prompt_tokens=2, completion_tokens=number)
    return Delta(text or str(number), (number,), (logprob,), "length" if last else None, usage)


def test_a_chats_first_and_last_delta_go_at_once_and_others_together() -> None:
    reader, chat = Reader(), make_stream()
    assert reader.step((chat, make_delta(1))) == ["1"]
    assert reader.step((chat, make_delta(2))) == []
    assert reader.step((chat, make_delta(3))) == []
    reader.wait()
    assert reader.step((chat, make_delta(4))) == ["234"]
    assert reader.step((chat, make_delta(5))) == []
    assert reader.step((chat, make_delta(6, last=True))) == ["56"]
    assert reader.merger.flush() == []


def test_a_completions_deltas_are_never_held() -> None:
    reader, completion = Reader(), make_stream("completion")
    assert [reader.step((completion, make_delta(number))) for number in (1, 2, 3)] == [["1"], ["2"], ["3"]]


def test_what_waits_goes_together() -> None:
    reader, streams = Reader(), [make_stream(), make_stream("background"), make_stream()]
    for number in (1, 2):
        reader.step(*((stream, make_delta(number)) for stream in streams))
    reader.wait()
    assert reader.step((streams[0], make_delta(3))) == ["23", "2", "2"]


def test_an_error_comes_after_the_text_before_it() -> None:
    reader, chat = Reader(), make_stream()
    reader.step((chat, make_delta(1)))
    reader.step((chat, make_delta(2)))
    assert reader.step((chat, SystemFault("It broke."))) == ["2", "SystemFault"]
    assert reader.merger.flush() == []


def test_nothing_is_passed_on_of_an_answer_that_was_dropped() -> None:
    reader, chat, other = Reader(), make_stream(), make_stream()
    for number in (1, 2):
        reader.step((chat, make_delta(number)), (other, make_delta(number, "o")))
    reader.merger.drop(chat)
    reader.merger.drop(make_stream())  # one that never had a delta
    assert [sequence for sequence, _ in reader.merger.flush()] == [other]


def test_a_step_of_nothing_lets_out_what_is_late() -> None:
    reader, chat = Reader(), make_stream()
    reader.step((chat, make_delta(1)))
    reader.step((chat, make_delta(2)))
    reader.wait()
    assert reader.step() == ["2"]


_TURNS = st.lists(
    st.tuples(st.integers(0, 2), st.text(max_size=3), st.sampled_from([0.0, 0.004, 0.02, 0.5])), max_size=60
)


@given(_TURNS)
def test_however_it_is_cut_each_stream_stays_the_same(turns: list[tuple[int, str, float]]) -> None:
    """Also: nothing is held for longer than the interval and the step that ends after it."""
    reader = Reader()
    streams = [make_stream(), make_stream("background"), make_stream("completion")]
    sent: list[list[Delta]] = [[], [], []]
    held_since: dict[int, float] = {}
    for which, text, wait_s in turns:
        reader.wait(wait_s)
        sent[which].append(make_delta(len(sent[which]) + 1, text))
        late = [number for number, since_s in held_since.items() if reader.clock() - since_s >= INTERVAL_S]
        before = len(reader.passed)
        reader.step((streams[which], sent[which][-1]))
        out = [streams.index(sequence) for sequence, _ in reader.passed[before:]]
        assert set(late) <= set(out)
        held_since.setdefault(which, reader.clock())
        held_since = {number: since_s for number, since_s in held_since.items() if number not in out}
    for number, deltas in enumerate(sent):
        if deltas:
            last = make_delta(len(deltas) + 1, last=True)
            reader.step((streams[number], last))
            passed = [
                what for sequence, what in reader.passed if sequence is streams[number] and isinstance(what, Delta)
            ]
            assert read_parts(passed) == read_parts([*deltas, last])
            assert (passed[-1].finish_reason, passed[-1].usage) == ("length", last.usage)


def read_parts(deltas: list[Delta]) -> tuple[str, list[int], list[TokenLogprob]]:
    """The text, tokens and log probabilities of a whole stream."""
    token_ids = [token_id for delta in deltas for token_id in delta.token_ids]
    return "".join(delta.text for delta in deltas), token_ids, [one for delta in deltas for one in delta.logprobs]


def test_deltas_that_are_joined_lose_no_call_of_a_tool() -> None:
    first, second = (ToolCall(f"c{number}", "read_file", "{}") for number in (1, 2))
    joined = join_deltas(
        [Delta("a", tool_calls=(first,)), Delta("b", finish_reason="tool_calls", tool_calls=(second,))]
    )
    assert joined == Delta("ab", finish_reason="tool_calls", tool_calls=(first, second))
