import asyncio
import socket
import stat
from pathlib import Path

import pytest

from heron.errors import AddressInUse, SystemFault
from heron.host.api.listen import listen_tcp, listen_unix


def test_a_unix_socket_is_for_its_owner_and_accepts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listen_unix(path), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client.connect(str(path))


def test_the_socket_of_a_dead_host_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listen_unix(path).close()
    assert path.exists()
    with listen_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_path_that_is_too_long_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="cannot be opened"):
        listen_unix(tmp_path / ("x" * 200))


def test_tcp_is_loopback_only() -> None:
    with listen_tcp(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_named() -> None:
    with listen_tcp(0) as listener, pytest.raises(AddressInUse, match=f"Port {listener.getsockname()[1]}"):
        listen_tcp(listener.getsockname()[1])


def test_a_port_out_of_range_is_a_sentence() -> None:
    with pytest.raises(SystemFault, match="65536"):
        listen_tcp(65536)


async def test_answers_over_tcp_are_not_held_back() -> None:
    """Nagle's algorithm and the peer's delayed acknowledgement would add 40 ms to each answer."""
    held_back: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        held_back.set_result(not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen_tcp(0) as listener:
        async with await asyncio.start_server(answer, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            assert not await held_back
            writer.close()
            await writer.wait_closed()
