"""What the model's own chances say of an offer: how often offers of some chance are right, and what a limit would cost.

    python tests/bench/quality/sureness.py --holes 320 --kind multi --seed 7 --answers FILE [--fit]
    python tests/bench/quality/sureness.py --places 400 --seed 11 --answers FILE --sources FOLDER [--fit]

Reads recorded answers (see infilling.py and fit.py) and asks no model. An offer in a hole of HumanEval is right if the
tests pass; one in a real source if the file went on so, white space aside. With `--fit` the line through chance and
outcome is fitted anew: on one half, judged on the other. Prints JSON.
"""

import argparse
import asyncio
import json
import math
import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.quality.fit import make_places
from bench.quality.holes import load_holes
from bench.quality.judge import passes
from bench.quality.recorded import RecordedSource
from bench.quality.shares import share
from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.context.estimate import estimate_tokens
from heron.editor.document import Document
from heron.editor.features.answer import read_answer
from heron.editor.features.infill import Asking, make_infill
from heron.editor.features.sureness import chance_right, find_doubt
from heron.editor.syntax.tree import parse
from heron.errors import HostUnreachable
from heron.settings import CompletionSettings

_BINS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.01)
_LIMITS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Offer:
    """Log probabilities of an offer's tokens, and whether it is right."""

    logprobs: tuple[float, ...]
    is_right: bool

    @property
    def chance(self) -> float:
        return chance_right(self.logprobs) or 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A document with a hole; what goes on from there, or the program text that judges what is put in."""

    document: Document
    offset: int
    went_on: str = ""
    check: str = ""

    def is_right(self, offer: str) -> bool:
        text = self.document.text
        if self.check:
            return passes(f"{text[: self.offset]}{offer}{text[self.offset :]}\n{self.check}")
        return "".join(self.went_on.split()).startswith("".join(offer.split()))


def read_cases(arguments: argparse.Namespace) -> list[Case]:
    cases = []
    for kind in arguments.kind if arguments.holes else ():
        for hole in load_holes(kind, arguments.holes, arguments.seed):
            document = Document("file:///hole.py", 1, "python", hole.prefix + hole.suffix)
            cases.append(Case(document, len(hole.prefix), check=hole.check))
    for places in make_places(arguments.sources, arguments.places, arguments.seed) if arguments.places else ():
        for place in places:
            document = Document(f"file:///{place.name}", 1, place.language, place.text)
            cases.append(Case(document, place.offset, went_on=place.cut + place.text[place.offset :]))
    return cases


async def read_offers(source: RecordedSource, cases: Sequence[Case]) -> list[Offer]:
    """The greedy offers of the cases whose answers are there."""
    offers = []
    for case in cases:
        with suppress(HostUnreachable):
            offers += [offer] if (offer := await _read_offer(source, case)) else []
    return offers


async def _read_offer(source: RecordedSource, case: Case) -> Offer | None:
    context = _context(case)
    infill = make_infill(await source.model(), context, Asking(CompletionSettings().max_tokens))
    answer = await read_answer(source.complete(infill), context)
    text = answer.finish()
    return Offer(tuple(answer.logprobs(text)), case.is_right(text)) if text and answer.logprobs(text) else None


def _context(case: Case) -> Context:
    """As the completer builds it, where no other file is known."""
    settings = CompletionSettings()
    imports = min(settings.context_tokens, settings.prefix_tokens // 6)
    budget = Budget(settings.prefix_tokens, settings.suffix_tokens, estimate_tokens, imports)
    return build_context(case.document, case.document.position(case.offset), parse(case.document), budget)


def reliability(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Bins of chances: what was said on average, and how many were right."""
    bins = []
    for low, high in pairwise(_BINS):
        some = [offer for offer in offers if low <= offer.chance < high]
        said = round(100 * sum(offer.chance for offer in some) / max(1, len(some)), 1)
        bins.append({"from": low, "said": said} | share([offer.is_right for offer in some]))
    return bins


def limits(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """For each least chance: the share that is shown, how many of those are right, and of all right ones are shown."""
    rows = []
    for limit in _LIMITS:
        shown = [offer for offer in offers if offer.chance >= limit]
        right, all_right = (sum(offer.is_right for offer in some) for some in (shown, offers))
        rows.append(
            {
                "least_chance": limit,
                "shown": round(100 * len(shown) / len(offers), 1),
                "right_of_shown": round(100 * right / max(1, len(shown)), 1),
                "shown_of_right": round(100 * right / max(1, all_right), 1),
            }
        )
    return rows


def fit(offers: Sequence[Offer]) -> tuple[float, float]:
    """Bias and slope of a logistic regression on the doubt, by gradient ascent."""
    bias, slope = 0.0, 0.0
    doubts = [find_doubt(offer.logprobs) for offer in offers]
    for _ in range(_STEPS):
        errors = [
            offer.is_right - 1 / (1 + math.exp(slope * doubt - bias))
            for offer, doubt in zip(offers, doubts, strict=True)
        ]
        bias += sum(errors) / len(offers)
        slope -= 0.1 * sum(error * doubt for error, doubt in zip(errors, doubts, strict=True)) / len(offers)
    return round(bias, 3), round(slope, 3)


def brier(offers: Sequence[Offer], bias: float, slope: float) -> float:
    """Mean squared error of the chances (Brier 1950); always saying the mean gives p(1-p)."""
    chances = [1 / (1 + math.exp(slope * find_doubt(offer.logprobs) - bias)) for offer in offers]
    return round(sum((c - offer.is_right) ** 2 for c, offer in zip(chances, offers, strict=True)) / len(offers), 4)


def summarise(offers: list[Offer], refit: bool) -> dict[str, Any]:
    rate = sum(offer.is_right for offer in offers) / len(offers)
    present = sum((offer.chance - offer.is_right) ** 2 for offer in offers) / len(offers)
    figures: dict[str, Any] = {
        "right": share([offer.is_right for offer in offers]),
        "brier": {"of_the_mean": round(rate * (1 - rate), 4), "present": round(present, 4)},
        "reliability": reliability(offers),
        "limits": limits(offers),
    }
    if refit:
        random.Random(1).shuffle(offers)
        half = len(offers) // 2
        figures["fitted"] = {"to_all": fit(offers), "held_out_brier": brier(offers[half:], *fit(offers[:half]))}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--holes", type=int, default=0)
    parser.add_argument("--kind", nargs="+", choices=("single", "multi", "tail"), default=["single"])
    parser.add_argument("--places", type=int, default=0)
    parser.add_argument("--sources", type=Path, default=Path(".heron/bench-sources"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fit", action="store_true", help="fit anew, on one half and on all")
    arguments = parser.parse_args()
    offers = asyncio.run(read_offers(RecordedSource(arguments.answers, 0), read_cases(arguments)))
    print(json.dumps({"bench": "sureness", "seed": arguments.seed, "figures": summarise(offers, arguments.fit)}))


if __name__ == "__main__":
    main()
