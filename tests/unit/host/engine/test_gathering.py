import asyncio

from heron.host.engine.gathering import GatheredWrites


async def test_what_is_written_in_one_turn_goes_out_together_and_in_order() -> None:
    written: list[bytes] = []
    writes = GatheredWrites(written.append)
    for data in (b"a", b"b", b"c"):
        writes.write(data)
    assert written == []
    await asyncio.sleep(0)
    assert written == [b"abc"]
    writes.write(b"d")
    await asyncio.sleep(0)
    assert written == [b"abc", b"d"]


async def test_flushing_does_not_wait_and_dropping_forgets() -> None:
    written: list[bytes] = []
    writes = GatheredWrites(written.append)
    writes.write(b"a")
    writes.flush()
    assert written == [b"a"]
    writes.write(b"b")
    writes.drop()
    await asyncio.sleep(0)
    assert written == [b"a"]
