"""Kills, stalls, full disks and disconnects under load: is anything lost, wrong or hung, and when does it answer again?

python tests/bench/faults_run.py [--faults N] [--seconds S] [--model NAME] [--seed N] [--store HOME]

Workers, hosts and language servers are killed and stopped, all sleep, the disk is full (where this user may mount one);
meanwhile streams and chats go on. Fails (status 1) if a conversation is lost, an answer differs from the undisturbed
one, or somebody waits for 40 s for an answer, all faults in between included. Prints JSON.
"""

import argparse
import asyncio
import json
import math
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.hosts import CHECKOUT
from bench.outages.clients import HANG_S, Chatter, Tally, make_reference, stream
from bench.outages.injuries import Injury, draw_kinds, hurt
from bench.outages.place import Place, open_place
from heron.commands.client import open_client

HARMLESS = ("sleep", "full disk", "kill editor")
"""What host and worker have to live through."""
_AT_ONCE = 0.15
"""So many injuries come before all have got over the last one."""
_STREAMS, _CHATTERS = 2, 1


@dataclass(slots=True)
class Record:
    """What was done, and what came of it."""

    tally: Tally = field(default_factory=Tally)
    injuries: list[Injury] = field(default_factory=list)


async def run_faults(place: Place, kinds: Sequence[str], seed: int, limit_s: float = math.inf) -> Record:
    """Hurt what runs in these ways, each time once it has answered again; no more once the time is over."""
    record, rng, began = Record(), random.Random(seed), time.monotonic()
    reference = await make_reference(place)
    chatters = [Chatter(place, reference, record.tally) for _ in range(_CHATTERS)]
    users = [chatter.run() for chatter in chatters]
    users += [stream(place, reference, record.tally, number) for number in range(_STREAMS)]
    tasks = [asyncio.create_task(user) for user in users]
    try:
        for kind in kinds:
            if time.monotonic() - began > limit_s:
                break
            try:
                before = record.tally.done.copy()
                async with asyncio.timeout(HANG_S):
                    record.injuries.append(await hurt(place, kind))
                if rng.random() > _AT_ONCE:
                    await _wait_all_served(record.tally, before, kind)
            except TimeoutError:
                record.tally.hung.append(f"no answer for {HANG_S:g} s after: {kind}")
            for task in tasks:
                if task.done():
                    task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with open_client(place.workspace) as editor:
        for chatter in chatters:
            await chatter.check(editor)
    return record


async def _wait_all_served(tally: Tally, before: Counter[str], kind: str) -> None:
    """Let each user come to the end of something, the streams and turns included that were in flight."""
    users = [*(f"stream {number}" for number in range(_STREAMS)), "editor"]
    deadline = time.monotonic() + HANG_S
    while left := [user for user in users if tally.done[user] <= before[user]]:
        if time.monotonic() > deadline:
            tally.hung += [f"{user} waited for {HANG_S:g} s after: {kind}" for user in left]
            return
        await asyncio.sleep(0.05)


async def measure_load(place: Place) -> float:
    """Seconds from a host that is killed, nobody else asking, to an answer of the next one's model."""
    await hurt(place, "kill host")  # whatever had to be compiled is now
    return (await hurt(place, "kill host")).recovery_s


def judge(record: Record) -> list[str]:
    """What is wrong; nothing if all is well."""
    tally = record.tally
    problems = [*(f"lost: {one}" for one in tally.lost), *(f"wrong: {one}" for one in tally.wrong)]
    problems += [*(f"hung: {one}" for one in tally.hung), *tally.failed]
    ended = [one.kind for one in record.injuries if one.kind in HARMLESS and not one.same_ones]
    problems += [f"host or worker did not live through: {kind}" for kind in ended]
    if not (tally.answers and tally.turns):
        problems.append("nothing was answered")
    return problems


def report(record: Record) -> dict[str, Any]:
    tally = record.tally
    by_kind: dict[str, list[float]] = defaultdict(list)
    for injury in record.injuries:
        by_kind[injury.kind].append(injury.recovery_s)
    times = [injury.recovery_s for injury in record.injuries]
    return {
        "faults": len(times) + tally.disconnects,
        "recovery_s": _spread(times),
        "by_kind": {kind: {"count": len(found)} | _spread(found) for kind, found in sorted(by_kind.items())},
        "disconnects": tally.disconnects,
        "waits_s": _spread(tally.waits_s),
        "answers": tally.answers,
        "went_on_with_another_host": tally.resumed,
        "chat_turns": tally.turns,
        "turns_cut_off_with_their_editor": tally.cut_off_turns,
        "completions": tally.completions,
        "lost": len(tally.lost),
        "wrong": len(tally.wrong),
        "hung": len(tally.hung),
        "failed_turns": len(tally.failed),
        "problems": judge(record)[:20],
    }


def _spread(times: Sequence[float]) -> dict[str, float]:
    if not times:
        return {}
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {"p50": round(statistics.median(ordered), 2), "p95": round(p95, 2), "max": round(ordered[-1], 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=math.inf, help="end after so long, however many there were")
    parser.add_argument("--store", type=Path, default=CHECKOUT / ".heron", help="home whose models are used")
    arguments = parser.parse_args()
    threads = f"threads = {arguments.threads}\n" if arguments.threads else ""
    began = time.monotonic()
    with open_place(arguments.store, arguments.model, f"{threads}cache_tokens = 4096\n") as place:
        kinds = draw_kinds(random.Random(arguments.seed), arguments.faults, place.is_small)
        load_s = asyncio.run(measure_load(place))
        record = asyncio.run(run_faults(place, kinds, arguments.seed, arguments.seconds))
    found = (
        {"load_s": round(load_s, 2)}
        | report(record)
        | {"full_disks": place.is_small, "seconds": round(time.monotonic() - began)}
    )
    print(json.dumps(found, indent=1))
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
