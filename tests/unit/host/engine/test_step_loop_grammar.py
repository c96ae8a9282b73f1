"""Constrained sequences in the step loop: drafts, forced tokens, pre-emption and neighbours change no answer."""

import re
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import HeronError, InvalidRequest
from heron.host.engine.draft import Drafter
from heron.host.engine.grammar import GrammarCompiler
from heron.host.engine.sampler import Sampler
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.host.engine.stream import TextStream
from heron.wire import Delta, Grammar, Sampling
from unit.host.engine.fake_runner import FakeRunner
from unit.host.engine.merged_tokenizer import END, VOCAB_SIZE, make_merged_tokenizer
from unit.host.engine.scripted_drafter import ScriptedDrafter, right_drafter

TOKENIZER = make_merged_tokenizer()
COMPILER = GrammarCompiler(TOKENIZER, VOCAB_SIZE)
VOCABULARY = Vocabulary(TOKENIZER.stop_ids, TOKENIZER.token_bytes)
PATTERNS = ("(a|b){3,9}c", "abab(a|bb)+ab", '\\{"ab": [0-9]{2}(, "ba": abab)?\\}', "[ab]*")


def constrained(
    prompt: list[int], pattern: str, sampling: Sampling | None = None, jump: bool = True, rank: int = 0
) -> Sequence:
    sampling = sampling or Sampling(max_tokens=24)
    return Sequence(
        request_id="",
        token_ids=list(prompt),
        num_prompt=len(prompt),
        max_tokens=sampling.max_tokens,
        sampler=Sampler(sampling),
        stream=TextStream(TOKENIZER.token_bytes, sampling.stop),
        matcher=COMPILER.compile(Grammar("regex", pattern), jump) if pattern else None,
        rank=rank,
    )


@dataclass
class Rig:
    """A step loop over a fake runner, and what came out of it."""

    num_pages: int = 64
    drafter: Drafter | None = None
    limits: SchedulerLimits = field(default_factory=SchedulerLimits)
    answers: dict[Sequence, list[Delta | HeronError]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        runner = FakeRunner(self.num_pages, 4, VOCAB_SIZE, max_batch_tokens=self.limits.max_step_tokens)
        self.loop = StepLoop(runner, VOCABULARY, self.limits, self.drafter)

    def add(self, sequence: Sequence) -> Sequence:
        self.loop.scheduler.add(sequence)
        self.answers[sequence] = []
        return sequence

    def finish(self) -> None:
        for _ in range(2000):
            if not self.loop.has_work:
                return
            for sequence, outcome in self.loop.step():
                self.answers[sequence].append(outcome)
        raise AssertionError("the loop makes no progress")

    def text(self, sequence: Sequence) -> str:
        return "".join(delta.text for delta in self.answers[sequence] if isinstance(delta, Delta))

    def last(self, sequence: Sequence) -> Delta:
        last = self.answers[sequence][-1]
        assert isinstance(last, Delta)
        return last


def run_alone(sequence: Sequence) -> tuple[list[int], Rig]:
    """The answer's tokens with nobody beside, nothing drafted and pages enough."""
    rig = Rig()
    rig.add(sequence)
    rig.finish()
    return sequence.token_ids[sequence.num_prompt :], rig


PROMPTS = st.lists(st.integers(97, 99), min_size=1, max_size=9)
ASKED = st.lists(st.tuples(PROMPTS, st.sampled_from(("", *PATTERNS)), st.integers(0, 1)), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(
    asked=ASKED,
    num_pages=st.integers(11, 24),
    temperature=st.sampled_from([0.0, 1.5]),
    lengths=st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_answers_are_those_of_sequences_that_run_alone(
    asked: list[tuple[list[int], str, int]], num_pages: int, temperature: float, lengths: tuple[int, int]
) -> None:
    sampling = Sampling(max_tokens=24, temperature=temperature, seed=3)
    alone = [run_alone(constrained(prompt, pattern, sampling))[0] for prompt, pattern, _ in asked]
    expected: dict[Sequence, list[int]] = {}
    drafter = ScriptedDrafter(lambda sequence: [*expected[sequence], END], lambda: lengths[0], lambda: lengths[1])
    rig = Rig(num_pages, drafter, SchedulerLimits(2, max_step_tokens=9, yielding_tokens=2, aging_steps=5))
    for (prompt, pattern, rank), answer in zip(asked, alone, strict=True):
        sequence = constrained(prompt, pattern, sampling, rank=rank)
        expected[sequence] = answer
        rig.add(sequence)
    rig.finish()
    for sequence, answer in expected.items():
        assert sequence.token_ids[sequence.num_prompt :] == answer
        assert rig.text(sequence) == TOKENIZER.decode(answer)
        assert rig.last(sequence).usage == sequence.usage()
    assert rig.loop.cache.num_available == num_pages


@settings(max_examples=60, deadline=None)
@given(prompt=PROMPTS, pattern=st.sampled_from(PATTERNS), temperature=st.sampled_from([0.0, 1.0]), jump=st.booleans())
def test_an_answer_that_stops_conforms(prompt: list[int], pattern: str, temperature: float, jump: bool) -> None:
    sampling = Sampling(max_tokens=24, temperature=temperature, top_k=5, top_p=0.9, seed=1)
    answer, rig = run_alone(sequence := constrained(prompt, pattern, sampling, jump))
    conforms = re.fullmatch(pattern, TOKENIZER.decode(answer)) is not None
    assert conforms if rig.last(sequence).finish_reason == "stop" else len(answer) == 24


def test_the_end_of_a_grammar_ends_the_answer_without_another_step() -> None:
    answer, rig = run_alone(sequence := constrained([97], "ba"))
    assert TOKENIZER.decode(answer) == "ba"
    assert rig.last(sequence).finish_reason == "stop"
    assert rig.loop.counters.steps == 1


def test_forced_tokens_cost_one_step_together() -> None:
    pattern = '\\{"ab": [0-9]\\}'
    jumped, with_jumps = run_alone(constrained([97], pattern))
    plain, without = run_alone(constrained([97], pattern, jump=False))
    assert with_jumps.loop.counters.steps == 2  # the forced opening, and the digit with its forced end
    assert without.loop.counters.steps == len(plain)
    assert len(TOKENIZER.decode(jumped)) == len(TOKENIZER.decode(plain)) == 9


def test_the_token_limit_holds_within_forced_tokens() -> None:
    answer, rig = run_alone(sequence := constrained([97], "xyzxyzxyz[ab]", Sampling(max_tokens=5)))
    assert TOKENIZER.decode(answer) == "xyzxy"
    assert rig.last(sequence).finish_reason == "length"
    assert sequence.usage().completion_tokens == 5


def test_a_stop_string_within_forced_tokens_ends_the_answer() -> None:
    answer, rig = run_alone(sequence := constrained([97], "xyzxyz[ab]", Sampling(max_tokens=9, stop=("zx",))))
    assert rig.text(sequence) == "xy"
    assert rig.last(sequence).finish_reason == "stop"
    assert TOKENIZER.decode(answer) == "xyzx"


def test_bias_cannot_overrule_the_grammar() -> None:
    sampling = Sampling(max_tokens=9, logit_bias=((ord("c"), 100.0), (ord("b"), 50.0)))
    answer, _ = run_alone(constrained([97], "[ab]{3}", sampling, jump=False))
    assert TOKENIZER.decode(answer) == "bbb"


def test_log_probabilities_are_those_of_the_model_before_the_mask() -> None:
    sampling = Sampling(max_tokens=3, logprobs=2)
    _, rig = run_alone(sequence := constrained([97], "[ab]{3}", sampling, jump=False))
    free, other = run_alone(unconstrained := constrained([97], "", sampling))
    first, free_first = rig.answers[sequence][0], other.answers[unconstrained][0]
    assert isinstance(first, Delta)
    assert isinstance(free_first, Delta)
    assert first.logprobs[0].top == free_first.logprobs[0].top
    assert first.logprobs[0].logprob <= free_first.logprobs[0].logprob
    assert free


def test_a_draft_of_a_constrained_sequence_is_cut_to_what_its_grammar_lets_pass() -> None:
    drafter = right_drafter(lambda sequence: [ord("a"), ord("a"), ord("c"), ord("a")] * 5)
    rig = Rig(drafter=drafter)
    sequence = rig.add(constrained([97], "[ab]{9}c", jump=False))
    rig.finish()
    assert re.fullmatch("[ab]{9}c", rig.text(sequence))
    assert 0 < sequence.num_drafted <= 2 * rig.loop.counters.steps


def test_a_grammar_that_cannot_be_followed_ends_its_own_sequence_only() -> None:
    rig = Rig()
    broken, sound = rig.add(constrained([97], "[ab]{4}")), rig.add(constrained([98], "[ab]{4}", jump=False))
    assert broken.matcher is not None
    broken.matcher._matcher.consume_token(ord("x"))
    rig.finish()
    failure = rig.answers[broken][-1]
    assert isinstance(failure, InvalidRequest)
    assert failure.param == "grammar"
    assert re.fullmatch("[ab]{4}", rig.text(sound))
    assert rig.loop.cache.num_available == 64
