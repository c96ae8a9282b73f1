"""`heron stats`: what became of the completions that were shown, from figures kept on this machine."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict

from heron.commands.table import lay_out
from heron.editor.stats.store import NAME, open_store
from heron.editor.stats.summary import Figures, summarize
from heron.settings import home_folder

_DAY_S = 24 * 3600.0
_HEADS = ("language", "shown", "accepted", "partly", "rejected", "typed", "taken", "kept", "p50", "p90", "p95")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("stats", help="show what became of completions, counted on this machine")
    parser.add_argument("--days", type=_days, default=30, metavar="N", help="only the last N days (default 30)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures; no file is made where there is none."""
    figures = _read(time.time() - arguments.days * _DAY_S)
    if arguments.json:
        print(json.dumps({"days": arguments.days, "languages": [asdict(one) for one in figures]}, indent=2))
    else:
        print(render(figures, arguments.days))
    return 0


def render(figures: Sequence[Figures], days: int) -> str:
    """A table for people."""
    if not figures:
        return f"No completion was shown in the last {days} days."
    lines = lay_out([_HEADS, *map(_row, figures)], num_left=1)
    note = "taken: accepted, wholly or partly; kept: of accepted characters, after 30 s; p50 to p95: ms until shown"
    return "\n".join([*lines, "", note])


def _read(since: float) -> tuple[Figures, ...]:
    path = home_folder() / NAME
    if not path.exists():
        return ()
    store = open_store(path)
    try:
        return summarize(store.read(since))
    finally:
        store.close()


def _row(one: Figures) -> tuple[str, ...]:
    counts = (one.shown, one.accepted, one.partly, one.rejected, one.typed)
    times = (one.latency_p50_ms, one.latency_p90_ms, one.latency_p95_ms)
    return (
        one.language,
        *map(str, counts),
        _percent(one.acceptance),
        _percent(one.kept),
        *(f"{ms:.0f}" for ms in times),
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _days(text: str) -> int:
    days = int(text) if text.isdecimal() else 0
    if not 1 <= days <= 3650:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days (1 to 3650)")
    return days
