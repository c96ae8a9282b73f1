"""Prefill, decode and append-after-cache of `heron host` against `llama-server`: same GGUF, same threads, in turn.

python tests/bench/engine.py --llama-server PATH [--model NAME] [--threads N] [--rounds N]
    [--speculation auto]

Both are asked over HTTP with token ids and time is the wall time of the answer. Within a round each figure is taken
from one server and at once from the other, first from this one and next time from that one. Prints JSON.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from inspect import getsource
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, median_of_ratios, rounded
from bench.servers import Server, fetch_model, start_heron, start_llama_server, temporary_home
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf

PREFILL_TOKENS = 512
DECODE_TOKENS = 64
CACHED_TOKENS = 995
APPENDED_TOKENS = 5
SHORT_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    wall_s: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    own_ms: dict[str, float] = field(default_factory=dict)
    """what the server itself measured, where it tells"""


Ask = Callable[[list[int], int], Answer]


@dataclass(frozen=True, slots=True)
class Figures:
    """One round of one server. Rates in tokens a second, times in milliseconds."""

    prefill_rate: float
    decode_rate: float
    decode_deep_rate: float
    append_ms: float
    append_own_ms: float


def heron_asker(server: Server, stop_ids: frozenset[int]) -> Ask:
    bias = {str(token_id): -100.0 for token_id in stop_ids}

    def ask(token_ids: list[int], max_tokens: int) -> Answer:
        body = {"prompt": token_ids, "max_tokens": max_tokens, "temperature": 0, "logit_bias": bias}
        wall_s, answer = _post(server, "/v1/completions", body)
        usage = answer["usage"]
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        return Answer(wall_s, usage["prompt_tokens"], cached, usage["completion_tokens"])

    return ask


def llama_asker(server: Server) -> Ask:
    def ask(token_ids: list[int], max_tokens: int) -> Answer:
        body = {
            "prompt": token_ids,
            "n_predict": max_tokens,
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": True,
        }
        wall_s, answer = _post(server, "/completion", body)
        timings = answer["timings"]
        own_ms = {"prompt": timings["prompt_ms"], "predicted": timings["predicted_ms"]}
        return Answer(wall_s, len(token_ids), len(token_ids) - timings["prompt_n"], timings["predicted_n"], own_ms)

    return ask


def _post(server: Server, path: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    response = server.http.post(path, json=body)
    wall_s = time.perf_counter() - began
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return wall_s, answer


def measure_prefill(ask: Ask, token_ids: list[int]) -> float:
    """Tokens a second of a prompt that nothing is cached of, and one token of answer."""
    answer = ask(token_ids[:PREFILL_TOKENS], 1)
    assert answer.cached_tokens < 16, f"{answer.cached_tokens} tokens were cached"
    return PREFILL_TOKENS / answer.wall_s


def measure_decode(ask: Ask, prompt: list[int]) -> float:
    """Tokens a second: the difference between a long and a short answer to the same prompt, both cached."""
    ask(prompt, 1)
    short = ask(prompt, 1)
    long = ask(prompt, DECODE_TOKENS + 1)
    assert long.completion_tokens == DECODE_TOKENS + 1, f"{long.completion_tokens} tokens came"
    return DECODE_TOKENS / (long.wall_s - short.wall_s)


def measure_append(ask: Ask, token_ids: list[int]) -> tuple[float, float]:
    """Milliseconds for new tokens after cached ones and one token of answer: wall, and by the server's own clock."""
    ask(token_ids[:CACHED_TOKENS], 1)
    answer = ask(token_ids[: CACHED_TOKENS + APPENDED_TOKENS], 1)
    assert answer.cached_tokens >= CACHED_TOKENS - 32, f"only {answer.cached_tokens} tokens were cached"
    own_ms = answer.own_ms.get("prompt", 0.0) + answer.own_ms.get("predicted", 0.0)
    return answer.wall_s * 1000, own_ms


def run_rounds(askers: dict[str, Ask], texts: list[list[int]]) -> dict[str, list[Figures]]:
    """A round for each text; the servers take turns within it, and in who begins."""
    found: dict[str, list[Figures]] = {name: [] for name in askers}
    for number, token_ids in enumerate(texts):
        names = sorted(askers, reverse=number % 2 == 1)
        prefill = {name: measure_prefill(askers[name], token_ids) for name in names}
        decode = {name: measure_decode(askers[name], token_ids[:SHORT_TOKENS]) for name in names}
        append = {name: measure_append(askers[name], token_ids) for name in names}
        deep = {name: measure_decode(askers[name], token_ids[:CACHED_TOKENS]) for name in names}
        for name in names:
            found[name].append(Figures(prefill[name], decode[name], deep[name], *append[name]))
    return found


def report(found: dict[str, list[Figures]]) -> dict[str, Any]:
    """Medians by server, and heron's speed over the other's: the median of the rounds' ratios."""
    figures = {
        name: {
            key: {"median": round(statistics.median(values), 2), "all": rounded(values)}
            for key in ("prefill_rate", "decode_rate", "decode_deep_rate", "append_ms", "append_own_ms")
            if any(values := [getattr(row, key) for row in rows])
        }
        for name, rows in found.items()
    }
    ours, theirs = found["heron"], found.get("llama-server")
    if not theirs:
        return {"figures": figures}
    ratios = {
        "prefill": median_of_ratios([row.prefill_rate for row in ours], [row.prefill_rate for row in theirs]),
        "decode": median_of_ratios([row.decode_rate for row in ours], [row.decode_rate for row in theirs]),
        "decode_deep": median_of_ratios(
            [row.decode_deep_rate for row in ours], [row.decode_deep_rate for row in theirs]
        ),
        "append": median_of_ratios([row.append_ms for row in theirs], [row.append_ms for row in ours]),
        "append_by_its_own_clock": median_of_ratios([r.append_own_ms for r in theirs], [r.append_ms for r in ours]),
    }
    return {"figures": figures, "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()}}


def make_texts(tokenizer: Tokenizer, count: int) -> list[list[int]]:
    """Token ids of real code, a stretch of its own for each round so that no cache helps."""
    token_ids = tokenizer.encode("".join(getsource(module) for module in (argparse, statistics)))
    need = CACHED_TOKENS + APPENDED_TOKENS
    assert len(token_ids) > count * need, f"{count} rounds need {count * need} tokens of text"
    return [token_ids[start : start + need] for start in range(need // 2, need // 2 + count * need, need)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-server", type=Path, help="its executable; without it only heron is measured")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--speculation", choices=("off", "auto"), default="off", help="drafts from repeated text")
    arguments = parser.parse_args()
    machine = describe_machine()
    model = fetch_model(arguments.model)
    tokenizer = Tokenizer.from_gguf(open_gguf(model.path))
    with ExitStack() as stack:
        home = stack.enter_context(temporary_home(model, arguments.threads, arguments.speculation))
        askers = {"heron": heron_asker(stack.enter_context(start_heron(home)), tokenizer.stop_ids)}
        if arguments.llama_server:
            server = start_llama_server(arguments.llama_server, model, arguments.threads)
            askers["llama-server"] = llama_asker(stack.enter_context(server))
        texts = make_texts(tokenizer, arguments.rounds + 1)
        run_rounds(askers, texts[:1])  # a round to warm up, not counted
        found = run_rounds(askers, texts[1:])
    asked = {"model": model.entry.id, "threads": arguments.threads, "rounds": arguments.rounds}
    asked |= {"speculation": arguments.speculation}
    print(json.dumps({"bench": "engine", **asked, "machine": machine, **report(found)}, indent=2))


if __name__ == "__main__":
    main()
