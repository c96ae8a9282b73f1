"""Ten thousand wrong, odd and random messages for a real host and a real language server.

python tests/bench/fuzz.py [--count 10000] [--seed 0]

Two in five are for LSP, as many for HTTP, the others WebSocket frames and raw bytes. A fault is a process that ended, a
500, an error without a sentence, a request of LSP not answered or answered twice, a connection left open after noise,
or a right request that failed after wrong ones. Prints JSON; the exit status is 1 if there was a fault.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from protocol.fuzz_target import running_target
from protocol.fuzzing import Findings, fuzz_http, fuzz_lsp, fuzz_raw, fuzz_socket


async def run(count: int, seed: int) -> Findings:
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="heron-fuzz-") as folder:
        async with running_target(Path(folder)) as target:
            await asyncio.gather(
                fuzz_http(target, findings, seed, 2 * count // 5),
                fuzz_lsp(target, findings, seed + 1, 2 * count // 5),
                fuzz_socket(target, findings, seed + 2, count // 10),
                fuzz_raw(target, findings, seed + 3, count // 10),
            )
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    findings = asyncio.run(run(arguments.count, arguments.seed))
    figures = {
        "seconds": round(time.monotonic() - began),
        "sent": dict(sorted(findings.sent.items())),
        "answers": dict(sorted(findings.answers.items())),
        "faults": findings.faults,
    }
    print(json.dumps(figures, indent=2))
    return bool(findings.faults)


if __name__ == "__main__":
    sys.exit(main())
