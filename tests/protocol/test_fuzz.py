"""Wrong, odd and random messages to a real host and a real language server: no crash, nothing left unanswered.

The long form, 10,000 messages and more, is `tests/bench/fuzz.py`. Starting both processes takes most of its seconds.
"""

import asyncio
from pathlib import Path

from protocol.fuzz_target import running_target
from protocol.fuzzing import Findings, fuzz_http, fuzz_lsp, fuzz_raw, fuzz_socket


async def test_no_message_crashes_hangs_or_goes_unanswered(tmp_path: Path) -> None:
    findings = Findings()
    async with running_target(tmp_path) as target:
        await asyncio.gather(
            fuzz_http(target, findings, seed=1, count=150),
            fuzz_raw(target, findings, seed=2, count=60),
            fuzz_socket(target, findings, seed=3, count=100),
            fuzz_lsp(target, findings, seed=4, count=200),
        )
    assert not findings.faults, "\n".join(findings.faults[:10])
    assert findings.sent.total() == 510
