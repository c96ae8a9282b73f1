import numpy as np
import psutil

from heron.host.engine.memory import release_freed_memory, resident_bytes, return_large_blocks


def test_freed_memory_goes_back_to_the_system() -> None:
    process = psutil.Process()
    kept = [bytes(4000) for _ in range(30_000)]
    pins = kept[::100]  # so that the heap cannot shrink at its end
    del kept
    before = process.memory_info().rss
    release_freed_memory()
    assert len(pins) == 300
    assert process.memory_info().rss <= before


def test_large_blocks_go_back_whatever_was_freed_before() -> None:
    return_large_blocks()
    np.ones(24 << 20, np.uint8)  # freed at once: this is what raises glibc's own limit
    before = resident_bytes()
    blocks, pins = [], []
    for _ in range(6):
        blocks.append(np.ones(8 << 20, np.uint8))
        pins.append(np.ones(64 << 10, np.uint8))  # so that the heap cannot shrink at its end
    del blocks
    assert resident_bytes() - before < 8 << 20
    assert len(pins) == 6
