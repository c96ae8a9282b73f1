import sys

import pytest

from heron.host.engine.memory import release_freed_memory, resident_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="allocators elsewhere return memory by themselves")
def test_freed_memory_goes_back_to_the_system() -> None:
    kept = [bytes(4000) for _ in range(30_000)]
    pins = kept[::100]  # so that the heap cannot shrink at its end
    del kept
    before = resident_bytes()
    release_freed_memory()
    assert len(pins) == 300
    assert before - resident_bytes() > 60_000_000
