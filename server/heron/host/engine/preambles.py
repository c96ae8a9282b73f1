"""What conversations begin with in common: system prompt and tools, found without knowing the model's template."""

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_REMEMBERED = 8
_LEAST_TOKENS = 32
"""A shorter preamble is computed anew sooner than it is worth a page kept."""
_RAGGED_TOKENS = 8
"""At the end of a turn's prompt the next turn's may differ so far and still go on with it."""


class Preambles:
    """Remembers how the last conversations began."""

    def __init__(self) -> None:
        self._recent: deque[npt.NDArray[np.int32]] = deque(maxlen=_REMEMBERED)

    def find(self, token_ids: Sequence[int]) -> int:
        """How many first tokens an earlier conversation had too before the two parted, 0 if few; remembers this one."""
        prompt = np.array(token_ids, np.int32)
        commons = [(_common_length(earlier, prompt), earlier) for earlier in self._recent]
        parted = [common for common, earlier in commons if common + _RAGGED_TOKENS < min(len(earlier), len(prompt))]
        continued = [earlier for common, earlier in commons if common + _RAGGED_TOKENS >= len(earlier)]
        for earlier in continued:
            self._forget(earlier)
        self._recent.append(prompt)
        shared = max(parted, default=0)
        return shared if shared >= _LEAST_TOKENS else 0

    def _forget(self, earlier: npt.NDArray[np.int32]) -> None:
        kept = [prompt for prompt in self._recent if prompt is not earlier]
        self._recent = deque(kept, maxlen=_REMEMBERED)


def _common_length(one: npt.NDArray[np.int32], other: npt.NDArray[np.int32]) -> int:
    length = min(len(one), len(other))
    differs = one[:length] != other[:length]
    return int(differs.argmax()) if differs.any() else length
