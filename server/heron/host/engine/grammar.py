"""Which tokens an answer may go on with, so that the whole of it conforms to a grammar: llguidance over our tokenizer.

llguidance (Microsoft, MIT) runs an Earley parser over a lexer of regular-expression derivatives; `grammar_source.py`
says what it is given. It is imported with the first constrained request: a worker that has none does not load it.
"""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heron.errors import InvalidRequest
from heron.host.engine.grammar_source import check_size, grammar_source
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import Grammar

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

_MAX_CACHED = 64
_SPECIAL_MARK = 0xFF
"""llguidance takes tokens that begin with this byte, which no UTF-8 text has, for special ones."""

Mask = npt.NDArray[np.bool_]


class GrammarCompiler:
    """Compiles grammars for one model's vocabulary and keeps the latest. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        """`vocab_size` is the number of logits, which a model may pad beyond the tokenizer's tokens."""
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size
        self._lock = threading.Lock()
        self._vocabulary: LLTokenizer | None = None
        self._compiled: OrderedDict[Grammar, LLMatcher] = OrderedDict()

    def compile(self, grammar: Grammar, jump: bool = True) -> "Matcher":
        """A matcher at the beginning of an answer; blocks for milliseconds, the first time for half a second.

        Without `jump` it names no forced tokens. Raises InvalidRequest that says what is wrong with the grammar.
        """
        check_size(grammar)
        with self._lock:
            compiled = self._compiled.get(grammar) or self._compile(grammar)
            self._compiled[grammar] = compiled
            self._compiled.move_to_end(grammar)
            if len(self._compiled) > _MAX_CACHED:
                self._compiled.popitem(last=False)
            return Matcher(compiled.deep_copy(), self._vocab_size, jump)

    def _compile(self, grammar: Grammar) -> "LLMatcher":
        from llguidance import LLMatcher, LLParserLimits

        if self._vocabulary is None:
            self._vocabulary = _make_vocabulary(self._tokenizer, self._vocab_size)
        limits = LLParserLimits(verbose_errors=False)
        try:
            source = grammar_source(grammar)
        except RecursionError:
            raise InvalidRequest("grammar: it is nested too deeply.", param="grammar") from None
        compiled = LLMatcher(self._vocabulary, source, log_level=0, limits=limits)
        if compiled.is_error():
            raise InvalidRequest(f"grammar: {_reason(compiled.get_error())}.", param="grammar")
        return compiled


class Matcher:
    """Where one answer stands in its grammar. Its state is a function of the answer's tokens, given to `accept`."""

    def __init__(self, matcher: "LLMatcher", vocab_size: int, jump: bool) -> None:
        self._matcher = matcher
        self._vocab_size = vocab_size
        self._jump = jump
        self._bits = np.zeros(-(-vocab_size // 32), np.uint32)
        self._forced: list[int] = []
        self._look_ahead()

    @property
    def done(self) -> bool:
        """Whether the answer is complete and nothing more can follow."""
        return self._matcher.is_stopped() and not self._matcher.is_error()

    def allowed(self) -> Mask:
        """The tokens [vocab_size] that may come next; those that end an answer are among them when it is complete.

        Raises InvalidRequest when the grammar proves too complex to follow.
        """
        self._matcher.unsafe_compute_mask_ptr(self._bits.ctypes.data, self._bits.nbytes)
        self._check()
        return np.unpackbits(self._bits.view(np.uint8), count=self._vocab_size, bitorder="little").view(np.bool_)

    def take_forced(self) -> int | None:
        """The next token if the grammar leaves no choice of text; it must then be accepted."""
        return self._forced.pop(0) if self._forced else None

    def accept(self, token_id: int) -> None:
        """Go on past a token that was allowed or forced."""
        self._matcher.consume_token(token_id)
        self._check()
        if not self._forced:
            self._look_ahead()

    def count_valid(self, token_ids: tuple[int, ...]) -> int:
        """How many of these tokens could follow one after the other."""
        return self._matcher.validate_tokens(list(token_ids))

    def _look_ahead(self) -> None:
        if self._jump and not self._matcher.is_stopped():
            self._forced = self._matcher.compute_ff_tokens()

    def _check(self) -> None:
        if self._matcher.is_error():
            reason = _reason(self._matcher.get_error())
            raise InvalidRequest(f"grammar: it cannot be followed any further: {reason}.", param="grammar")


class _Vocabulary:
    """Our tokenizer as llguidance's `TokenizerWrapper` wants it.

    What it reads of a tokenizer.json itself takes `<tool_call>` for a special token and unused tokens for text.
    """

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self.eos_token_id = min(tokenizer.stop_ids)
        self.bos_token_id = tokenizer.bos_id
        self.tokens = [_text_bytes(tokenizer, token_id) for token_id in range(vocab_size)]
        self.special_token_ids = [token_id for token_id in sorted(tokenizer.special_ids) if token_id < vocab_size]
        self._tokenizer = tokenizer

    def __call__(self, text: bytes | str) -> list[int]:
        return self._tokenizer.encode(text.decode() if isinstance(text, bytes) else text)


def _text_bytes(tokenizer: Tokenizer, token_id: int) -> bytes:
    """The bytes of a token; none for one that is never part of text."""
    data = tokenizer.token_bytes(token_id)
    return b"" if data[:1] == bytes([_SPECIAL_MARK]) else data


def _make_vocabulary(tokenizer: Tokenizer, vocab_size: int) -> "LLTokenizer":
    from llguidance import LLTokenizer, TokenizerWrapper

    wrapper = TokenizerWrapper(_Vocabulary(tokenizer, vocab_size))
    return LLTokenizer(wrapper, eos_token=sorted(tokenizer.stop_ids))


def _reason(message: str) -> str:
    """An error of llguidance as one line: its first, and what came of it where that ends in a colon."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    cause = next((line for line in lines[1:] if line.startswith("error: ")), "")
    reason = f"{lines[0]} {cause}" if lines and lines[0].endswith(":") else lines[0] if lines else "unknown error"
    return reason.rstrip(" .:")
