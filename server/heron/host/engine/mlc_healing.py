"""Token healing where an engine takes no mask: one token is asked for with a bias on those that may stand there.

As `healing` has it, the last token of the prompt is taken back and the answer held to begin with its bytes. Here only
by one token that is or goes on from it, which is nearly always the one; the rest of the answer is asked for after it,
and finds its prompt in the cache.
"""

from dataclasses import dataclass, replace

import numpy as np

from heron.host.engine.healing import TokensByText
from heron.host.engine.mlc_ask import Ask
from heron.host.engine.tokenizer import Tokenizer

MAX_CANDIDATES = 300
"""More tokens than OpenAI's API would take biases for: what is taken back says too little then."""
_BIAS = 100.0


@dataclass(frozen=True, slots=True)
class HealingAsk:
    """The question for the token at the end of a prompt. `ids_by_text` are those that may stand there."""

    first: Ask
    taken: str
    taken_id: int
    ids_by_text: dict[str, int]

    def continue_from(self, ask: Ask, text: str) -> tuple[Ask, str]:
        """The ask with the token that was answered in the place of its last, and what that adds to what was taken
        back: the beginning of the answer. All as it was if the answer is no such token."""
        token_id = self.ids_by_text.get(text)
        if token_id is None:
            return ask, ""
        return replace(ask, token_ids=(*ask.token_ids[:-1], token_id)), text.removeprefix(self.taken)


class Healer:
    """Finds what may stand in the place of a prompt's last token. Immutable, safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens = TokensByText(tokenizer.token_bytes, tokenizer.vocab_size)

    def heal(self, ask: Ask) -> HealingAsk | None:
        """None where the last token is no text, ends within a character, or none or too many go on from it."""
        if len(ask.token_ids) < 2 or ask.max_tokens < 2:
            return None
        taken_id = ask.token_ids[-1]
        taken = self._text_of(taken_id)
        if not taken or "\ufffd" in taken:
            return None
        ids_by_text = self._find_longer(taken)
        if not 2 <= len(ids_by_text) <= MAX_CANDIDATES:
            return None
        options = ask.options | {"logit_bias": dict.fromkeys(ids_by_text.values(), _BIAS)}
        first = replace(ask, token_ids=ask.token_ids[:-1], max_tokens=1, stops=(), options=options)
        return HealingAsk(first, taken, taken_id, ids_by_text)

    def _find_longer(self, taken: str) -> dict[str, int]:
        """The tokens whose text begins with one, by their texts."""
        spelt = np.flatnonzero(self._tokens.spelling(taken.encode())).tolist()
        texts = {token_id: self._text_of(token_id) for token_id in spelt}
        return {text: token_id for token_id, text in reversed(texts.items()) if text.startswith(taken)}

    def _text_of(self, token_id: int) -> str:
        return self._tokenizer.token_bytes(token_id).decode("utf-8", errors="replace")
