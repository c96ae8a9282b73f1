"""Tokens a second with and without drafts on the real model, hole by hole in turn; the answers must be the same.

python tests/bench/drafts.py [--model NAME_OR_PATH] [--holes N] [--edits N] [--asks N] [--threads N] [--seed N]

Holes: a few lines are cut from files of installed packages, as a completion in the editor would fill them. Edits: the
model rewrites a piece of such a file with a name changed. Asks: what was added between two releases of a package is
typed, and the model is asked where that is not what it offered, as an editor does. Timed is decoding: from the first
token of the answer to its last. Models come from Heron's home (`HERON_HOME`) or are given as a path. Prints JSON.
"""

import os
import sys

# This folder holds a `typing.py`, which must not hide Python's own: import from the folder above it.
sys.path.pop(0)
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "..")))

import argparse
import asyncio
import json
import random
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.metadata import files
from pathlib import Path
from typing import Any

from bench.figures import describe_machine, rounded
from bench.trace import Release, Segment, make_trace
from heron.host.compiler.artefact import ensure_artefact
from heron.host.engine.draft import LookupDrafter, StepSpace
from heron.host.engine.local_engine import EnginePolicy, LocalEngine
from heron.host.engine.sequence import Sequence as Running
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.catalog import entry_of
from heron.host.models.fetch import ensure_model
from heron.host.models.store import Store
from heron.settings import EngineSettings, ModelSettings, home_folder
from heron.wire import ChatPrompt, FimPrompt, GenerateRequest, Message, ModelInfo, Prompt, Sampling, Usage

PACKAGES = ("fastapi", "httpx", "hypothesis", "jinja2", "rich")
FILE_BYTES = (4_000, 60_000)
RELEASES = (Release("rich", "13.7.1"), Release("rich", "13.9.4"))
PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 3_000, 400
HOLE_TOKENS, EDIT_TOKENS = 48, 192
EDIT_LINES = 25
TYPED_KEYS = 10_000


class SwitchedDrafter(LookupDrafter):
    """Drafts while `is_on`; while it is off it neither drafts nor learns, so that no answer is known beforehand."""

    is_on = False

    def draft(self, sequences: Sequence[Running], space: StepSpace) -> list[tuple[int, ...]]:
        return super().draft(sequences, space) if self.is_on else [()] * len(sequences)

    def learn(self, sequence: Running, token_ids: list[int]) -> None:
        if self.is_on:
            super().learn(sequence, token_ids)

    def remember(self, sequence: Running) -> None:
        if self.is_on:
            super().remember(sequence)


@dataclass(frozen=True, slots=True)
class Task:
    kind: str
    prompt: Prompt
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    token_ids: tuple[int, ...]
    decode_s: float
    usage: Usage

    @property
    def rate(self) -> float:
        """Tokens a second after the first."""
        return (len(self.token_ids) - 1) / self.decode_s


@dataclass(frozen=True, slots=True)
class Pair:
    kind: str
    plain: Answer
    drafted: Answer


def make_tasks(num_holes: int, num_edits: int, seed: int) -> Iterator[Task]:
    """Holes and edits in turn, in files drawn by the seed."""
    chance, paths = random.Random(seed), list(_source_files())
    kinds = ["hole"] * num_holes + ["edit"] * num_edits
    chance.shuffle(kinds)
    for kind in kinds:
        lines = chance.choice(paths).read_text(encoding="utf-8").splitlines(keepends=True)
        yield _cut_hole(chance, lines) if kind == "hole" else _ask_rename(chance, lines)


def _source_files() -> Iterator[Path]:
    for package in PACKAGES:
        for file in files(package) or ():
            path = Path(str(file.locate()))
            if path.suffix == ".py" and FILE_BYTES[0] <= path.stat().st_size <= FILE_BYTES[1]:
                yield path


def _cut_hole(chance: random.Random, lines: list[str]) -> Task:
    """One to eight lines are missing, all but the indentation of the first."""
    start = chance.choice([number for number in range(20, len(lines) - 10) if lines[number].strip()])
    indentation = re.match(r"\s*", lines[start])
    prefix = "".join(lines[:start]) + (indentation[0] if indentation else "")
    suffix = "".join(lines[start + chance.randint(1, 8) :])
    prompt = FimPrompt(prefix[-PREFIX_CHARACTERS:], suffix[:SUFFIX_CHARACTERS])
    return Task("hole", prompt, HOLE_TOKENS)


def _ask_rename(chance: random.Random, lines: list[str]) -> Task:
    start = chance.randrange(max(1, len(lines) - EDIT_LINES))
    code = "".join(lines[start : start + EDIT_LINES])
    name = chance.choice(sorted({"self", *re.findall(r"\b[a-z_]{4,}\b", code)}))
    asked = f"Rename `{name}` to `new_{name}` in this code. Answer with the whole code.\n```python\n{code}```\n"
    return Task("edit", ChatPrompt((Message("user", asked),)), EDIT_TOKENS)


async def answer(engine: LocalEngine, task: Task) -> Answer:
    request = GenerateRequest("bench", task.prompt, Sampling(max_tokens=task.max_tokens))
    text, token_ids = "", tuple[int, ...]()
    usage, began = Usage(), 0.0
    async with aclosing(engine.generate(request)) as deltas:
        async for delta in deltas:
            began = began or time.perf_counter()
            text, token_ids = text + delta.text, token_ids + delta.token_ids
            usage = delta.usage or usage
    return Answer(text, token_ids, time.perf_counter() - began, usage)


@dataclass(slots=True)
class Comparison:
    """Asks each task without drafts and at once with them; which comes first changes. The prompt is cached before."""

    engine: LocalEngine
    drafter: SwitchedDrafter
    pairs: list[Pair] = field(default_factory=list)

    async def ask(self, task: Task) -> Pair:
        """The answers to a task, which must be the same. Those of a single token are not counted."""
        found: dict[bool, Answer] = {}
        self.drafter.is_on = False
        await answer(self.engine, Task(task.kind, task.prompt, 1))
        for is_on in sorted((False, True), reverse=len(self.pairs) % 2 == 1):
            self.drafter.is_on = is_on
            found[is_on] = await answer(self.engine, task)
        pair = Pair(task.kind, found[False], found[True])
        assert pair.drafted.token_ids == pair.plain.token_ids, f"drafts changed the answer to {task}"
        if len(pair.plain.token_ids) > 1:
            self.pairs.append(pair)
        sys.stderr.write(".")
        return pair

    async def type(self, segment: Segment, asks: int) -> int:
        """Type a segment, with at most so many questions; how many there were."""
        typed, offer, asked = segment.before, "", 0
        for key in segment.keys:
            typed += key.text
            if offer.startswith(key.text):
                offer = offer[len(key.text) :]
            elif asked < asks:
                prompt = FimPrompt(typed[-PREFIX_CHARACTERS:], segment.after[:SUFFIX_CHARACTERS])
                offer, asked = (await self.ask(Task("ask", prompt, HOLE_TOKENS))).plain.text, asked + 1
        return asked


async def compare(engine: LocalEngine, drafter: SwitchedDrafter, arguments: argparse.Namespace) -> list[Pair]:
    comparison = Comparison(engine, drafter)
    for task in make_tasks(arguments.holes, arguments.edits, arguments.seed):
        await comparison.ask(task)
    asks = arguments.asks
    for segment in make_trace(*RELEASES, TYPED_KEYS, arguments.seed) if asks else ():
        asks -= await comparison.type(segment, asks)
    sys.stderr.write("\n")
    return comparison.pairs


def summarise(pairs: Sequence[Pair]) -> dict[str, Any]:
    """`speedup` is the median of the tasks' ratios, `speedup_of_sums` that of all tokens over all seconds."""
    ratios = [pair.plain.decode_s / pair.drafted.decode_s for pair in pairs]
    drafted = sum(pair.drafted.usage.draft_tokens for pair in pairs)
    accepted = sum(pair.drafted.usage.accepted_draft_tokens for pair in pairs)
    tokens = sum(len(pair.plain.token_ids) for pair in pairs)
    seconds = [sum(getattr(pair, name).decode_s for pair in pairs) for name in ("plain", "drafted")]
    return {
        "tasks": len(pairs),
        "tokens": tokens,
        "plain_rate": round(statistics.median(pair.plain.rate for pair in pairs), 1),
        "drafted_rate": round(statistics.median(pair.drafted.rate for pair in pairs), 1),
        "speedup": round(statistics.median(ratios), 2),
        "speedup_of_sums": round(seconds[0] / seconds[1], 2),
        "slowest_and_fastest": rounded([min(ratios), max(ratios)]),
        "drafted_per_token": round(drafted / tokens, 2),
        "accepted_share": round(accepted / max(drafted, 1), 2),
        "identical": True,
    }


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = EngineSettings(threads=arguments.threads)
    entry = entry_of(arguments.model)
    path = ensure_model(entry, Store(home_folder()), ModelSettings(), lambda progress: None)
    artefact = ensure_artefact(
        path, settings, lambda progress: None, lambda file, folder: Tokenizer.from_gguf(file).save(folder)
    )
    tokenizer, drafter = Tokenizer.load(artefact), SwitchedDrafter()
    info = ModelInfo(entry.id, settings.context_window, tokenizer.fim is not None, supports_chat=True)
    engine = LocalEngine(load_runner(artefact, settings), tokenizer, info, EnginePolicy(drafter=drafter))
    engine.warm_up()
    pairs = await compare(engine, drafter, arguments)
    await engine.close()
    times = {str(count): round(drafter.step_times.of(count) * 1000, 1) for count in (1, 2, 4, 8, 16)}
    by_kind = {kind: [pair for pair in pairs if pair.kind == kind] for kind in ("hole", "edit", "ask")}
    return {
        **{f"{kind}s": summarise(of_kind) for kind, of_kind in by_kind.items() if of_kind},
        "step_ms_by_tokens": times,
        "acceptance_by_match": rounded(drafter.rates.rates),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--holes", type=int, default=24)
    parser.add_argument("--edits", type=int, default=8)
    parser.add_argument("--asks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    machine = describe_machine()
    found = asyncio.run(bench(arguments))
    print(json.dumps({"bench": "drafts", "asked": vars(arguments), "machine": machine, **found}, indent=2))


if __name__ == "__main__":
    main()
