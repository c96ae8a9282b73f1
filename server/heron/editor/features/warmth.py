"""What the server's KV cache should still hold of our prompts, and how fast it reads what it does not.

Both are estimates: other clients fill the cache too, and tokens are counted without a tokenizer. What the server says
it found cached puts them right.
"""

from collections import deque
from dataclasses import dataclass

from heron.editor.context.build import Context
from heron.editor.context.estimate import estimate_tokens
from heron.wire import Usage

_REMEMBERED = 8
_ASSUMED_PER_S = 500.0  # before anything was measured: about a 1.5B model on two cores
_LEAST_MEASURED_TOKENS = 64
_NEWEST_SHARE = 0.3
_SURPRISE_TOKENS = 160


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt in the order in which a host renders it: what agrees with a cached one up to a place is cached."""

    above: str
    suffix: str | None
    """None where the server was stopped within the lines above."""
    line: str


class Warmth:
    """The last prompts of one server, and its measured speed of prefill."""

    def __init__(self) -> None:
        self._known: deque[_Prompt] = deque(maxlen=_REMEMBERED)
        self._tokens_per_s = _ASSUMED_PER_S

    def cold_tokens(self, context: Context) -> int:
        """About how many tokens of the prompt the server has to compute."""
        prompt = _prompt_of(context)
        return min((_cold(prompt, known) for known in self._known), default=_cold(prompt, _Prompt("", None, "")))

    def wait_ms(self, context: Context) -> float:
        """About how long the server takes to compute them."""
        return 1000 * self.cold_tokens(context) / self._tokens_per_s

    def note(self, context: Context, usage: Usage | None, seconds: float) -> None:
        """The prompt was computed within so many seconds; `usage` tells how much of it was cached, if it is known."""
        if usage is not None:
            computed = usage.prompt_tokens - usage.cached_tokens
            if computed > self.cold_tokens(context) + _SURPRISE_TOKENS:
                self._known.clear()  # the server lost what it held
            if computed >= _LEAST_MEASURED_TOKENS and seconds > 0:
                self._tokens_per_s += _NEWEST_SHARE * (computed / seconds - self._tokens_per_s)
        self._remember(_prompt_of(context))

    def note_part(self, context: Context, seconds: float) -> None:
        """The server was stopped after computing for so long."""
        prompt = _prompt_of(context)
        shared = max((_common_length(prompt.above, known.above) for known in self._known), default=0)
        left = estimate_tokens(prompt.above[shared:])
        share = min(1.0, seconds * self._tokens_per_s / left) if left else 1.0
        end = shared + int(share * (len(prompt.above) - shared))
        self._remember(_Prompt(prompt.above[:end], None, ""))

    def _remember(self, prompt: _Prompt) -> None:
        if prompt in self._known:
            self._known.remove(prompt)
        self._known.append(prompt)


def _prompt_of(context: Context) -> _Prompt:
    end = context.prefix.rfind("\n")
    return _Prompt(context.prefix[: end + 1], context.suffix, context.prefix[end + 1 :])


def _cold(prompt: _Prompt, known: _Prompt) -> int:
    if (prompt.above, prompt.suffix) == (known.above, known.suffix):
        return 1 + estimate_tokens(prompt.line[_common_length(prompt.line, known.line) :])
    left = prompt.above[_common_length(prompt.above, known.above) :]
    return estimate_tokens(left) + estimate_tokens(prompt.suffix or "") + estimate_tokens(prompt.line) + 1


def _common_length(one: str, other: str) -> int:
    """How many characters two texts begin with in common, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
