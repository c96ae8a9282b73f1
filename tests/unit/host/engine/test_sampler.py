"""Sampling against plain definitions in numpy, with a full sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import SystemFault
from heron.host.engine.runner import Float32
from heron.host.engine.sampler import Sampler, logprobs_of, nucleus_ids, top_ids
from heron.wire import Sampling

VALUES = st.lists(st.integers(-6, 6), min_size=1, max_size=600).map(lambda values: np.array(values, np.float32))


def random_logits(seed: int, size: int = 1000) -> Float32:
    return (3 * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)


def draws(sampling: Sampling, logits: Float32, count: int) -> list[int]:
    sampler = Sampler(sampling)
    return [sampler.choose(logits.copy()).token_id for _ in range(count)]


def test_greedy_takes_the_most_likely_and_the_first_of_equals() -> None:
    assert Sampler(Sampling()).choose(np.array([0, 5, 1, 5], np.float32)).token_id == 1


@given(VALUES, st.integers(1, 700))
def test_top_ids_are_those_of_a_full_sort(values: Float32, num_top: int) -> None:
    top = top_ids(values, num_top)
    assert values[top].tolist() == sorted(values.tolist(), reverse=True)[:num_top]
    assert len(set(top.tolist())) == len(top)


@given(VALUES, st.floats(0.01, 0.999))
def test_the_nucleus_is_the_smallest_set_of_enough_weight(values: Float32, top_p: float) -> None:
    weights = np.exp(values.astype(np.float64))
    nucleus = nucleus_ids(weights, top_p)
    wanted = top_p * weights.sum() * (1 - 1e-12)
    assert weights[nucleus].sum() >= wanted
    assert weights[nucleus].sum() - weights[nucleus].min() < wanted * (1 + 1e-9)
    assert weights[nucleus].min() >= np.delete(weights, nucleus).max(initial=0)


def test_top_k_draws_only_from_the_best() -> None:
    logits = random_logits(1)
    best = set(np.argsort(-logits)[:5].tolist())
    assert set(draws(Sampling(temperature=2.0, top_k=5, seed=1), logits, 200)) == best


def test_top_p_draws_only_from_the_nucleus() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    assert set(draws(Sampling(temperature=1.0, top_p=0.75, seed=1), logits, 200)) == {0, 1}


def test_top_p_counts_within_what_top_k_left() -> None:
    logits = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))
    assert set(draws(Sampling(temperature=1.0, top_k=2, top_p=0.5, seed=1), logits, 200)) == {0}


def test_frequencies_are_the_softmax_of_the_logits_over_the_temperature() -> None:
    logits = np.array([1.0, 0.0, -1.0, 2.0], np.float32)
    counts = np.bincount(draws(Sampling(temperature=0.7, seed=3), logits, 20_000), minlength=4)
    expected = np.exp(logits / 0.7) / np.exp(logits / 0.7).sum()
    assert np.abs(counts / 20_000 - expected).max() < 0.02


def test_frequencies_are_right_among_many_tokens() -> None:
    logits = np.log(np.arange(1, 1001, dtype=np.float32))
    counts = np.bincount(draws(Sampling(temperature=1.0, seed=4), logits, 20_000), minlength=1000)
    shares = counts.reshape(20, 50).sum(axis=1) / 20_000
    expected = np.arange(1, 1001).reshape(20, 50).sum(axis=1) / 500_500
    assert np.abs(shares - expected).max() < 0.01
    assert counts[-100:].std() < 12


def test_a_seed_repeats_itself_and_another_differs() -> None:
    logits = random_logits(2)
    first = draws(Sampling(temperature=1.0, seed=5), logits, 20)
    assert first == draws(Sampling(temperature=1.0, seed=5), logits, 20)
    assert first != draws(Sampling(temperature=1.0, seed=6), logits, 20)
    assert draws(Sampling(temperature=1.0, seed=-1), logits, 3)


def test_bias_forbids_and_favours() -> None:
    logits = np.array([5, 4, 3, 2], np.float32)
    assert Sampler(Sampling(logit_bias=((0, -100.0),))).choose(logits.copy()).token_id == 1
    assert Sampler(Sampling(logit_bias=((3, 50.0), (3, 40.0)))).choose(logits.copy()).token_id == 3


def test_logprobs_are_those_of_the_raw_logits_best_first() -> None:
    logits = random_logits(4)
    expected = logits - np.log(np.exp(logits.astype(np.float64)).sum())
    sampling = Sampling(temperature=1.5, top_k=3, logprobs=4, logit_bias=((int(logits.argmin()), 100.0),))
    chosen = Sampler(sampling).choose(logits.copy())
    assert chosen.token_id == logits.argmin()
    assert chosen.logprob == pytest.approx(expected.min(), abs=1e-5)
    best = np.argsort(-logits)[:4]
    assert [token_id for token_id, _ in chosen.top] == best.tolist()
    assert [logprob for _, logprob in chosen.top] == pytest.approx(expected[best].tolist(), abs=1e-5)


def test_logprobs_come_only_when_asked_for() -> None:
    assert Sampler(Sampling()).choose(random_logits(1)).logprob is None
    none_beside = Sampler(Sampling(logprobs=0)).choose(random_logits(1))
    assert none_beside.logprob is not None
    assert none_beside.top == ()


def test_probabilities_sum_to_one() -> None:
    assert float(np.exp(logprobs_of(random_logits(9) * 50)).sum()) == pytest.approx(1)


def test_a_model_that_computes_no_number_is_a_fault() -> None:
    with pytest.raises(SystemFault, match="no finite number"):
        Sampler(Sampling()).choose(np.full(4, np.nan, np.float32))


def test_a_flat_distribution_is_cut_to_its_nucleus_too() -> None:
    weights = np.ones(5000)
    assert sorted(nucleus_ids(weights, 0.5).tolist()) == list(range(2500))
