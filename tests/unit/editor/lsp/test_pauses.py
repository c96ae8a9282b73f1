import asyncio
import gc
import sys
from collections.abc import Iterator

import pytest

from heron.editor.lsp import pauses


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)
    gc.unfreeze()


async def test_threads_take_turns_at_once_and_what_is_loaded_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SETTLED_S", 0.0)
    loop = asyncio.get_running_loop()
    pauses.shorten_pauses(loop)
    assert sys.getswitchinterval() == pytest.approx(pauses.SWITCH_S)
    passed = asyncio.Event()
    loop.call_later(0, passed.set)
    await passed.wait()
    assert gc.get_freeze_count() > 0
