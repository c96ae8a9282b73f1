import subprocess
import sys

import psutil

from heron.host.engine.memory import release_freed_memory


def test_freed_memory_goes_back_to_the_system() -> None:
    process = psutil.Process()
    kept = [bytes(4000) for _ in range(30_000)]
    pins = kept[::100]  # so that the heap cannot shrink at its end
    del kept
    before = process.memory_info().rss
    release_freed_memory()
    assert len(pins) == 300
    assert process.memory_info().rss <= before


LARGE_BLOCKS = """
import numpy as np
from heron.host.engine.memory import resident_bytes, return_large_blocks

return_large_blocks()
np.ones(24 << 20, np.uint8)  # freed at once: this is what raises glibc's own limit
before = resident_bytes()
blocks, pins = [], []
for _ in range(6):
    blocks.append(np.ones(8 << 20, np.uint8))
    pins.append(np.ones(64 << 10, np.uint8))  # so that the heap cannot shrink at its end
del blocks
print(resident_bytes() - before)
"""


def test_large_blocks_go_back_whatever_was_freed_before() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 << 20
