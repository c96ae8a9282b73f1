"""Figures from records of completions: by language, and all together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heron.editor.stats.store import Record

ALL = "all"
_TAKEN = ("accepted", "partly")


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the completions of a language. Shares are from 0 to 1, None where there is nothing to share.

    `accepted` and `partly` do not overlap. `kept` is the share of accepted characters that stood after 30 s.
    """

    language: str
    shown: int
    accepted: int
    partly: int
    rejected: int
    typed: int
    accepted_chars: int
    acceptance: float | None
    kept: float | None
    latency_p50_ms: float
    latency_p90_ms: float
    latency_p95_ms: float


def summarize(records: Iterable[Record]) -> tuple[Figures, ...]:
    """One of each language, most shown first, then one of all; nothing without records."""
    by_language: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_language[record.language].append(record)
    whole = [record for some in by_language.values() for record in some]
    ordered = sorted(by_language.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(_figures(name, some) for name, some in [*ordered, *([(ALL, whole)] if whole else [])])


def _figures(language: str, records: Sequence[Record]) -> Figures:
    counts = {outcome: sum(one.outcome == outcome for one in records) for outcome in (*_TAKEN, "rejected", "typed")}
    known = [one for one in records if one.kept_chars is not None]
    latencies = sorted(one.latency_ms for one in records)
    return Figures(
        language,
        len(records),
        **counts,
        accepted_chars=sum(one.accepted_chars for one in records),
        acceptance=_share(counts["accepted"] + counts["partly"], len(records)),
        kept=_share(sum(one.kept_chars or 0 for one in known), sum(one.accepted_chars for one in known)),
        latency_p50_ms=_percentile(latencies, 50),
        latency_p90_ms=_percentile(latencies, 90),
        latency_p95_ms=_percentile(latencies, 95),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank: the smallest value that so many percent do not exceed."""
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 2)
