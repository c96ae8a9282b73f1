"""Code actions on real functions and on seeded bugs, with the real model: what is offered, what parses, what is right.

`python tests/bench/actions.py [--each 12] [--sources FOLDER]`, with the host of HERON_HOME; prints JSON.
"""

import argparse
import ast
import asyncio
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.bugs import KINDS, Bug, Failure, run_checks
from bench.ready_client import open_ready_client
from bench.real_functions import Sample, choose_samples
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Position, Range
from heron.editor.features.actions.action import Choice
from heron.editor.features.actions.actions import Actions
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.writer import Writer
from heron.editor.syntax.faults import count_faults
from heron.editor.syntax.signatures import read_definitions
from heron.editor.syntax.tree import parse
from heron.errors import EditRefused

ACTIONS = ("document", "types", "tests", "simplify")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=12, help="functions of each language")
    parser.add_argument("--sources", type=Path, default=Path(".heron/bench-sources"))
    parser.add_argument("--only", default="", help="functions or bugs")
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(measure(arguments)), indent=1))


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    client = await open_ready_client()
    writer = Writer(client)
    report: dict[str, Any] = {"model": (await client.model()).id}
    if arguments.only != "bugs":
        report["functions"] = await measure_functions(choose_samples(arguments.sources, arguments.each), writer)
    if arguments.only != "functions":
        report["bugs"] = await measure_bugs(writer)
    await client.close()
    return report


async def measure_functions(samples: list[Sample], writer: Writer) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[float]] = defaultdict(list)
    for name in ACTIONS:
        for sample in samples:
            began = time.perf_counter()
            outcome = await try_action(sample, name, writer)
            counts[name].update(outcome)
            if "offered" in outcome:
                times[name].append(time.perf_counter() - began)
        print(json.dumps({name: dict(counts[name])}), file=sys.stderr)
    languages = Counter(sample.language for sample in samples)
    return {
        "functions": dict(languages),
        "actions": {name: dict(counts[name]) for name in ACTIONS},
        "median_s": {name: round(statistics.median(times[name]), 2) for name in ACTIONS if times[name]},
    }


async def try_action(sample: Sample, name: str, writer: Writer) -> list[str]:
    """What became of an action: listed, offered or refused, parses, placed."""
    actions = Actions()
    start = sample.definition.name_range.start
    spot = actions.spot(sample.document, Range(start, start))
    if not any(entry.action == name for entry in actions.list(spot)):
        return ["not listed"]
    try:
        proposal = await actions.propose(name, Choice(spot), writer)
    except EditRefused as error:
        return ["listed", f"refused: {error.message[:50]}"]
    outcome = ["listed", "offered"]
    if all(parses(sample.document, change_text(sample.document, proposal, uri), uri) for uri in uris(proposal)):
        outcome.append("parses")
    if name == "document":
        outcome.append("placed" if is_placed(sample, proposal) else f"misplaced {sample.document.uri}")
    return outcome


def uris(proposal: Proposal) -> list[str]:
    return [change.uri for change in proposal.changes]


def change_text(document: Document, proposal: Proposal, uri: str) -> str:
    change = next(change for change in proposal.changes if change.uri == uri)
    return (document if uri == document.uri else Document(uri, 0, document.language, "")).edited(change.edits).text


def parses(document: Document, text: str, uri: str) -> bool:
    """Whether a text, read afresh, has no more errors than the document had; Python by its own parser."""
    if document.language == "python":
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    before = parse(document) if uri == document.uri else None
    after = parse(Document(uri, 1, document.language, text))
    return after is not None and count_faults(after) <= (count_faults(before) if before else 0)


def is_placed(sample: Sample, proposal: Proposal) -> bool:
    """Whether the function, and only it, has a documentation now."""
    before = {item.name_range.start: item for item in read_definitions(sample.definition.tree)}
    text = change_text(sample.document, proposal, sample.document.uri)
    after = parse(Document(sample.document.uri, 1, sample.document.language, text))
    assert after is not None
    gained = [
        new.name
        for old, new in zip(before.values(), read_definitions(after), strict=True)
        if old.documentation is None and new.documentation is not None
    ]
    return gained == [sample.definition.name]


async def measure_bugs(writer: Writer) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for kind, bugs in KINDS.items():
        outcomes = Counter([await try_fix(bug, writer) for bug in bugs])
        report[kind] = dict(outcomes)
    total = sum(len(bugs) for bugs in KINDS.values())
    confirmed = sum(report[kind].get("confirmed", 0) for kind in KINDS)
    return report | {"confirmed": f"{confirmed} of {total}"}


async def try_fix(bug: Bug, writer: Writer) -> str:
    assert run_checks(bug.code, bug.check) is None, bug.code
    failure = run_checks(bug.seeded, bug.check)
    assert failure is not None, bug.seeded
    document = Document("file:///bench/code.py", 1, "python", bug.seeded)
    place = _place(document, failure)
    spot = Actions().spot(document, place, (Diagnostic(place, failure.message),))
    try:
        proposal = await Actions().propose("fix", Choice(spot), writer)
    except EditRefused:
        return "refused"
    return "confirmed" if run_checks(change_text(document, proposal, document.uri), bug.check) is None else "wrong"


def _place(document: Document, failure: Failure) -> Range:
    """The line Python names; a failed assertion is told of the function's header, as test runners do in editors."""
    number = failure.line - 1
    if failure.line == 0:
        tree = parse(document)
        assert tree is not None
        number = read_definitions(tree)[0].name_range.start.line
    start = len(document.line(number)) - len(document.line(number).lstrip())
    return Range(Position(number, start), Position(number, len(document.line(number))))


if __name__ == "__main__":
    main()
