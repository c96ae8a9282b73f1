"""How likely an offer is right, from the log probabilities of its tokens.

Fitted to 268 holes of HumanEval (single lines, rests of lines, blocks) filled by the 0.5B; two thirds were right:
`tests/bench/README.md` has the table. Real code is harder, so this orders offers better than it counts.
"""

import math
from collections.abc import Sequence

_BIAS, _SLOPE = 1.05, 1.02
_LEAST = -6.0


def chance_right(logprobs: Sequence[float]) -> float | None:
    """From 0 to 1; None without log probabilities. Doubt adds up over tokens, but less than in proportion."""
    if not logprobs:
        return None
    doubt = max(_LEAST, sum(logprobs) / math.sqrt(len(logprobs)))
    return 1 / (1 + math.exp(-_BIAS - _SLOPE * doubt))
