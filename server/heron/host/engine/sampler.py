"""Choosing the next token from logits, in numpy, one sequence at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from heron.errors import SystemFault
from heron.host.engine.runner import Float32
from heron.wire import Sampling

_BLOCK = 64
"""Values whose maxima or sums are looked at first, instead of the values themselves."""

Ids = npt.NDArray[np.intp]
Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token, and when asked for the natural-log probabilities of it and of the most likely ones, best first."""

    token_id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one sequence. Its random numbers are its own: who else is in the batch changes nothing."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._bias_ids = np.array([token_id for token_id, _ in sampling.logit_bias], np.intp)
        self._biases = np.array([bias for _, bias in sampling.logit_bias], np.float32)
        self._random = np.random.default_rng(None if sampling.seed is None else sampling.seed % 2**64)

    def choose(self, logits: Float32, allowed: Mask | None = None) -> Chosen:
        """The next token for logits [vocab_size], which may be changed; only of the `allowed` ones [vocab_size].

        Log probabilities are the model's own: before bias, temperature, filters and what is allowed.
        """
        read_logprobs = self._logprob_reader(logits)
        if len(self._bias_ids):
            np.add.at(logits, self._bias_ids, self._biases)
        if allowed is not None:
            logits[~allowed] = -np.inf
        best = int(logits.argmax())
        if not math.isfinite(logits[best]):
            raise SystemFault("The model computed no finite number for the next token.")
        token_id = best if self._sampling.temperature == 0 else self._draw(logits, float(logits[best]))
        return read_logprobs(token_id)

    def _draw(self, logits: Float32, best_logit: float) -> int:
        token_ids = top_ids(logits, self._sampling.top_k) if self._sampling.top_k else None
        kept = logits if token_ids is None else logits[token_ids]
        weights = np.exp((kept - best_logit) / self._sampling.temperature)
        if self._sampling.top_p < 1:
            nucleus = nucleus_ids(weights, self._sampling.top_p)
            token_ids = nucleus if token_ids is None else token_ids[nucleus]
            weights = weights[nucleus]
        index = _draw_index(weights, self._random.random())
        return index if token_ids is None else int(token_ids[index])

    def _logprob_reader(self, logits: Float32) -> Callable[[int], Chosen]:
        """What tells the log probabilities from the logits as they are now, before bias."""
        num_top = self._sampling.logprobs
        return Chosen if num_top is None else partial(_read_logprobs, logprobs_of(logits), num_top)


def top_ids(values: Floats, num_top: int) -> Ids:
    """Indices of the largest values, largest first, the lower index first among equals."""
    maxima = values[: len(values) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
    if num_top > len(maxima):
        return np.argsort(-values, kind="stable")[:num_top]
    # So many blocks hold a value of at least the least of these maxima, hence so many values do.
    found = np.flatnonzero(values >= np.partition(maxima, -num_top)[-num_top])
    return found[np.argsort(-values[found], kind="stable")][:num_top]


def nucleus_ids(weights: Floats, top_p: float) -> Ids:
    """Indices of the fewest largest weights that make up `top_p` of the whole, the lower index first among equals."""
    whole = float(weights.sum(dtype=np.float64))
    # All that weigh less than the mean of what may be left out make up less than that: the rest is enough.
    enough = weights[weights >= 0.999 * (1 - top_p) * whole / len(weights)]
    descending = np.sort(enough)[::-1]
    mass = np.cumsum(descending, dtype=np.float64)
    count = min(int(np.searchsorted(mass, top_p * whole)) + 1, len(mass))
    least = descending[count - 1]
    above = np.flatnonzero(weights > least)
    return np.concatenate((above, np.flatnonzero(weights == least)[: count - len(above)]))


def logprobs_of(logits: Float32) -> Floats:
    """Natural-log probabilities of logits: log softmax, its sum in double precision."""
    best = float(logits.max())
    shifted = logits.astype(np.float64) - best
    result: Floats = shifted - math.log(float(np.exp(logits - best).sum(dtype=np.float64)))
    return result


def _draw_index(weights: Floats, uniform: float) -> int:
    """The index at which the running sum of weights passes `uniform` (0 to 1) of the whole: first by block."""
    starts = np.arange(0, len(weights), _BLOCK)
    ends = np.cumsum(np.add.reduceat(weights, starts), dtype=np.float64)
    wanted = uniform * float(ends[-1])
    block = int(np.searchsorted(ends[:-1], wanted, side="right"))
    before, start = float(ends[block - 1]) if block else 0.0, block * _BLOCK
    mass = np.cumsum(weights[start : start + _BLOCK], dtype=np.float64)
    # Sums of blocks are less exact than those within one: never go past the last value that weighs anything.
    last = np.searchsorted(mass, mass[-1])
    return start + int(min(np.searchsorted(mass, wanted - before, side="right"), last))


def _read_logprobs(logprobs: Floats, num_top: int, token_id: int) -> Chosen:
    best = top_ids(logprobs, num_top) if num_top else ()
    return Chosen(token_id, float(logprobs[token_id]), tuple((int(index), float(logprobs[index])) for index in best))
