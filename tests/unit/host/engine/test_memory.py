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
