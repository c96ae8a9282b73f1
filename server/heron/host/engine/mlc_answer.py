"""What MLC-LLM streams for one completion, read into deltas: the last has the finish reason and the usage."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from heron.errors import Overloaded, SystemFault
from heron.host.engine.stream import StopScanner
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import Delta, FinishReason, TokenLogprob, Usage


class AnswerReader:
    """Reads one answer's messages. `done` when a stop string was met, which MLC-LLM's own stream may overrun."""

    def __init__(self, num_prompt: int, stops: tuple[str, ...], tokenizer: Tokenizer) -> None:
        self._num_prompt = num_prompt
        self._scanner = StopScanner(stops)
        self._tokenizer = tokenizer
        self._ids_by_text: dict[str, int] = {}
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._num_tokens = 0

    @property
    def done(self) -> bool:
        return self._scanner.stopped

    @property
    def num_tokens(self) -> int:
        """Tokens of the answer: as MLC-LLM counts them once it has told, before that as our tokenizer would."""
        return self._usage.completion_tokens if self._usage else self._num_tokens

    def begin(self, text: str) -> Iterator[Delta]:
        """The delta of a text that the answer begins with and that is not streamed."""
        if shown := self._scanner.push(text):
            yield Delta(shown, usage=self._usage_so_far())

    def read(self, message: Any) -> Iterator[Delta]:
        """The delta of a message, if it has one; that of the usage has no choices."""
        if message.usage is not None:
            self._usage = _read_usage(message.usage)
        for choice in message.choices:
            if choice.finish_reason is not None:
                self._finish = _finish_reason(choice.finish_reason)
            yield from self._read_text(choice)

    def end(self) -> Delta:
        """The last delta. SystemFault if the stream broke off before it said why it ended."""
        if self._finish is None and not self.done:
            raise SystemFault("MLC-LLM broke off the answer.")
        finish: FinishReason = "stop" if self.done else self._finish or "stop"
        return Delta(self._scanner.finish(), finish_reason=finish, usage=self._usage_so_far())

    def _read_text(self, choice: Any) -> Iterator[Delta]:
        text = self._scanner.push(choice.text or "")
        if not text and choice.logprobs is None:
            return
        token_ids = tuple(self._tokenizer.encode(choice.text or ""))
        self._num_tokens += len(token_ids)
        logprobs = tuple(self._read_logprobs(choice.logprobs)) if choice.logprobs else ()
        yield Delta(text, token_ids, logprobs, usage=self._usage_so_far())

    def _usage_so_far(self) -> Usage:
        return self._usage or Usage(self._num_prompt, self._num_tokens)

    def _read_logprobs(self, told: Any) -> Iterator[TokenLogprob]:
        for text, logprob, top in zip(told.tokens, told.token_logprobs, told.top_logprobs, strict=False):
            alternatives = tuple((other, self._find_id(other), value) for other, value in top.items())
            yield TokenLogprob(text, self._find_id(text), logprob, alternatives)

    def _find_id(self, text: str) -> int:
        """The token that is written like this; the lowest of several, -1 if there is none."""
        if not self._ids_by_text:
            for token_id in reversed(range(self._tokenizer.vocab_size)):
                data = self._tokenizer.token_bytes(token_id)
                self._ids_by_text[data.decode("utf-8", "replace")] = token_id
        return self._ids_by_text.get(text, -1)


def read_metrics(told: Mapping[str, Any]) -> dict[str, float]:
    """MLC-LLM's sums under the names of our own engine's; what it does not tell is left out."""
    prompt, prefilled = told.get("prompt_tokens_sum"), told.get("prefill_tokens_sum")
    cached = prompt - prefilled if prompt is not None and prefilled is not None else None
    drafts = told.get("spec_decode")
    drafted, accepted = (_sum_of(drafts, name) for name in ("draft_count", "accept_count"))
    times = [told.get(f"engine_{name}_time_sum") for name in ("prefill", "decode", "jump_forward")]
    found = {
        "prefilled_tokens_total": prefilled,
        "decoded_tokens_total": told.get("completion_tokens_sum"),
        "cached_tokens_total": cached,
        "drafted_tokens_total": drafted,
        "accepted_draft_tokens_total": accepted,
        "run_s_total": sum(time for time in times if time is not None) if any(times) else None,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _read_usage(usage: Any) -> Usage:
    """Tokens of the prompt that were not computed anew were found in the cache."""
    extra = usage.extra if isinstance(usage.extra, Mapping) else {}
    prefilled = extra.get("prefill_tokens")
    cached = max(0, usage.prompt_tokens - int(prefilled)) if prefilled is not None else 0
    return Usage(usage.prompt_tokens, usage.completion_tokens, cached)


def _finish_reason(told: str) -> FinishReason:
    if told == "preempt":
        raise Overloaded("MLC-LLM gave up the answer for want of room in its KV cache.")
    if told == "error":
        raise SystemFault("MLC-LLM ended the answer with an error it does not name.")
    return "length" if told == "length" else "stop"


def _sum_of(told: Any, name: str) -> float | None:
    values = told.get(name) if isinstance(told, Mapping) else None
    return float(sum(values)) if isinstance(values, Sequence) else None
