"""Token healing: the text before the cursor seldom ends where a token would.

The last token of a prompt is taken back, and the answer is held to begin with its bytes: by that token, by one that
goes on from it ("ret" → "return"), or by several that spell it. (Lundberg 2023, "The art of prompt design: prompt
boundaries and token healing".)
"""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


class TokensByText:
    """All tokens of a vocabulary, sorted by their bytes, those without any left out."""

    def __init__(self, token_bytes: Callable[[int], bytes], vocab_size: int) -> None:
        texts = [token_bytes(token_id) for token_id in range(vocab_size)]
        order = sorted((token_id for token_id, text in enumerate(texts) if text), key=texts.__getitem__)
        self._joined = b"".join(texts[token_id] for token_id in order)
        self._ends = np.cumsum([len(texts[token_id]) for token_id in order], dtype=np.int64)
        self._ids = np.array(order, np.int32)
        self.vocab_size = vocab_size

    def spelling(self, text: bytes) -> Mask:
        """The tokens [vocab_size] that begin `text`, are all of it, or begin with it. `text` is not empty."""
        mask = np.zeros(self.vocab_size, np.bool_)
        for length in range(1, len(text)):
            mask[self._ids[self._place(text[:length]) : self._place(text[:length] + b"\0")]] = True
        mask[self._ids[self._place(text) : self._place_after(text)]] = True
        return mask

    def _place(self, text: bytes) -> int:
        """How many tokens sort before `text`."""
        return bisect_left(range(len(self._ids)), text, key=self._text)

    def _place_after(self, text: bytes) -> int:
        """How many tokens sort before all that do not begin with `text` and are greater."""
        bare = text.rstrip(b"\xff")
        return self._place(bare[:-1] + bytes([bare[-1] + 1])) if bare else len(self._ids)

    def _text(self, index: int) -> bytes:
        return self._joined[self._ends[index - 1] if index else 0 : self._ends[index]]


class Healing:
    """What an answer must still begin with; its state is a function of the answer's tokens, given to `accept`."""

    def __init__(self, tokens: TokensByText, text: bytes) -> None:
        self._tokens = tokens
        self._left = text

    @property
    def num_left(self) -> int:
        """Bytes still to be spelt."""
        return len(self._left)

    @property
    def done(self) -> bool:
        return not self._left

    def allowed(self) -> Mask:
        """The tokens [vocab_size] that may come next."""
        return self._tokens.spelling(self._left)

    def accept(self, text: bytes) -> None:
        """Go on past a token that was allowed, by its bytes."""
        self._left = self._left[len(text) :]
