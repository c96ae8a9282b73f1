"""Constrained decoding: is the output of random JSON schemas always valid, and what does a token's mask cost?

    python tests/bench/grammar.py [--model NAME] [--count 1000] [--seed 0] [--rounds 7] [--streams 8]

Validity: `count` schemas and prompts, every other answer sampled at temperature 1, the rest greedy, `streams` at once;
each answer is parsed and checked with jsonschema. The same with tokens drawn evenly from all that are allowed, which is
further out than any model goes. Overhead: the time of a token, without drafts, of a long string under
a schema that forces no token against free text, in turn; and of records, whose forced tokens cost no step. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, median_of_ratios, rounded
from bench.random_schemas import SchemaMaker
from bench.servers import fetch_model, temporary_home
from heron.host.engine.grammar import GrammarCompiler, Matcher
from heron.host.engine.load import load_engine
from heron.host.engine.local_engine import LocalEngine
from heron.host.engine.tokenizer import Tokenizer
from heron.settings import Settings
from heron.wire import ChatPrompt, Delta, GenerateRequest, Grammar, Message, Sampling

MAX_TOKENS = 600
DECODE_TOKENS = 96
FREE = {"type": "string", "minLength": 4000}
RECORD = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"enum": [1, 2, 3]}}}
RECORDS = {
    "type": "array",
    "items": RECORD | {"required": ["name", "age"], "additionalProperties": False},
    "minItems": 40,
}


async def answer(engine: LocalEngine, prompt: str, sampling: Sampling) -> tuple[list[Delta], list[float]]:
    """The deltas of a chat's answer, and when each came."""
    request = GenerateRequest(f"bench-{id(sampling)}", ChatPrompt((Message("user", prompt),)), sampling, "chat")
    deltas, times = [], []
    async with aclosing(engine.generate(request)) as stream:
        async for delta in stream:
            deltas.append(delta)
            times.append(time.perf_counter())
    return deltas, times


async def check_validity(engine: LocalEngine, count: int, seed: int, streams: int) -> dict[str, Any]:
    maker, places = SchemaMaker(seed), asyncio.Semaphore(streams)
    failures: list[dict[str, Any]] = []
    tokens: list[int] = []

    async def check(number: int, schema: dict[str, Any], prompt: str) -> None:
        grammar = Grammar("json_schema", json.dumps(schema, ensure_ascii=False))
        sampling = Sampling(MAX_TOKENS, float(number % 2), seed=number, grammar=grammar)
        async with places:
            deltas, _ = await answer(engine, prompt, sampling)
        text = "".join(delta.text for delta in deltas)
        tokens.append(sum(len(delta.token_ids) for delta in deltas))
        if problem := _problem(schema, text):
            failures.append({"schema": schema, "text": text, "end": deltas[-1].finish_reason, "problem": problem})

    began = time.perf_counter()
    await asyncio.gather(*(check(number, maker.make(), maker.prompt()) for number in range(count)))
    return {
        "count": count,
        "valid": count - len(failures),
        "tokens": sum(tokens),
        "wall_s": round(time.perf_counter() - began, 1),
        "failures": failures[:5],
    }


def check_random_tokens(compiler: GrammarCompiler, tokenizer: Tokenizer, count: int, seed: int) -> dict[str, Any]:
    """Every other answer takes forced tokens as they come, as the engine does."""
    maker, generator = SchemaMaker(seed), np.random.default_rng(seed)
    failures = []
    for number in range(count):
        schema = maker.make()
        matcher = compiler.compile(_schema(schema), jump=bool(number % 2))
        text = tokenizer.decode(_draw_answer(matcher, tokenizer.stop_ids, generator))
        if problem := _problem(schema, text):
            failures.append({"schema": schema, "text": text, "problem": problem})
    return {"count": count, "valid": count - len(failures), "failures": failures[:5]}


def _draw_answer(matcher: Matcher, stop_ids: frozenset[int], generator: np.random.Generator) -> list[int]:
    token_ids: list[int] = []
    while not matcher.done:
        forced = matcher.take_forced()
        token_id = int(generator.choice(np.flatnonzero(matcher.allowed()))) if forced is None else forced
        if token_id in stop_ids:
            break
        matcher.accept(token_id)
        token_ids.append(token_id)
    return token_ids


def _problem(schema: dict[str, Any], text: str) -> str:
    try:
        jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    except (ValueError, jsonschema.ValidationError) as error:
        return str(error).splitlines()[0]
    return ""


async def measure_overhead(engine: LocalEngine, stop_ids: frozenset[int], rounds: int) -> dict[str, Any]:
    """Milliseconds a token, constrained and not in turn, and the median of their ratios."""
    times: dict[str, list[float]] = {"free": [], "string": [], "records": []}
    grammars = {"free": None, "string": _schema(FREE), "records": _schema(RECORDS)}
    for number in range(rounds + 1):
        for name in sorted(times, reverse=bool(number % 2)):
            token_ms = await _token_ms(engine, stop_ids, grammars[name])
            times[name] += [token_ms] if number else []  # the first round warms up
    return {
        "token_ms": {name: rounded(values) for name, values in times.items()},
        "string_over_free": round(median_of_ratios(times["string"], times["free"]), 3),
        "records_over_free": round(median_of_ratios(times["records"], times["free"]), 3),
        "median_free_ms": round(statistics.median(times["free"]), 2),
    }


async def _token_ms(engine: LocalEngine, stop_ids: frozenset[int], grammar: Grammar | None) -> float:
    """The median step of an answer of fixed length, by its tokens: those that would end it are kept from it."""
    bias = tuple((token_id, -100.0) for token_id in sorted(stop_ids))
    sampling = Sampling(DECODE_TOKENS, grammar=grammar, logit_bias=bias)
    deltas, at = await answer(engine, "Write a long text about the history of printing.", sampling)
    later = sum(len(delta.token_ids) for delta in deltas[1:])
    steps = [after - before for before, after in pairwise(at)]
    return statistics.median(steps) * 1000 * len(steps) / later


def _schema(schema: dict[str, Any]) -> Grammar:
    return Grammar("json_schema", json.dumps(schema))


async def run(options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings()
    off = replace(settings.engine, speculation="off", threads=options.threads)
    wanted = replace(settings, engine=off, model=replace(settings.model, name=options.model))
    engine = await asyncio.to_thread(load_engine, wanted, lambda health: None)
    try:
        overhead = (
            await measure_overhead(engine, engine._tokenizer.stop_ids, options.rounds) if options.rounds else None
        )
        validity = await check_validity(engine, options.count, options.seed, options.streams) if options.count else None
        tokenizer = engine._tokenizer
        drawn = check_random_tokens(engine._grammars, tokenizer, options.count, options.seed)
    finally:
        await engine.close()
    figures = {"overhead": overhead, "validity": validity, "random_tokens": drawn}
    return {"machine": describe_machine(), "model": options.model, **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--home", help="a home with the model, instead of a temporary one")
    options = parser.parse_args()
    if options.home:
        os.environ["HERON_HOME"] = options.home
        print(json.dumps(asyncio.run(run(options)), ensure_ascii=False))
        return
    with temporary_home(fetch_model(options.model), options.threads) as home:
        os.environ["HERON_HOME"] = str(home)
        print(json.dumps(asyncio.run(run(options)), ensure_ascii=False))


if __name__ == "__main__":
    main()
