"""What the engine's steps were spent on, kept for `heron trace`: times and counts, never text."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

KEPT_STEPS = 8192
"""A minute or two of steady decoding, in some 3 MB."""

Work = Literal["prefill", "decode"]


@dataclass(frozen=True, slots=True)
class Share:
    """One request's part in a step: tokens computed, of which `num_drafted` were guesses."""

    request_id: str
    work: Work
    num_tokens: int
    num_drafted: int = 0


@dataclass(frozen=True, slots=True)
class StepSpan:
    """One step, in seconds of the system's monotonic clock, which all processes of a machine share.

    `run_s` of it were spent in the model.
    """

    begin_s: float
    end_s: float
    run_s: float
    shares: tuple[Share, ...]


Spans = deque[StepSpan]


def new_spans() -> Spans:
    """An empty record that forgets the oldest steps."""
    return deque(maxlen=KEPT_STEPS)
