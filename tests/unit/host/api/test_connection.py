import asyncio

from heron.host.api.connection import GatheringTransport


class Transport(asyncio.Transport):
    """Notes what is done to it."""

    def __init__(self) -> None:
        super().__init__({"peername": "me"})
        self.done: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.done.append(bytes(data))

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")


async def test_pieces_of_one_turn_go_out_together() -> None:
    """Head, events and end of a short answer: each piece of its own would wake the reader's process."""
    inner = Transport()
    transport = GatheringTransport(inner)
    for piece in (b"head ", b"event ", b"end"):
        transport.write(piece)
    await asyncio.sleep(0)
    assert inner.done == [b"head event end"]


async def test_what_was_written_goes_out_before_the_connection_closes() -> None:
    inner = Transport()
    transport = GatheringTransport(inner)
    transport.write(b"bye")
    transport.close()
    await asyncio.sleep(0)
    assert inner.done == [b"bye", "close"]


async def test_aborting_sends_nothing_more() -> None:
    inner = Transport()
    transport = GatheringTransport(inner)
    transport.write(b"bye")
    transport.abort()
    await asyncio.sleep(0)
    assert inner.done == ["abort"]


def test_it_is_its_transport_in_all_else() -> None:
    assert GatheringTransport(Transport()).get_extra_info("peername") == "me"
