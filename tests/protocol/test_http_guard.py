"""Who is kept out of a host on TCP, and how: tokens, scopes, quotas, names, origins, slowness, other users, TLS."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from heron.errors import InvalidSettings
from heron.host.api import connection, guard
from heron.host.api.doorway import Endpoint, open_port
from heron.host.engine.scripted import ScriptedEngine
from heron.host.tokens import Scope, token_store
from heron.settings import HostSettings, LimitSettings
from heron.wire import CLIENT_HEADER
from protocol.http_host import CHAT
from protocol.tcp_host import serving

ASKS = {
    "/v1/completions": {"prompt": "x"},
    "/infill": {"input_prefix": "x"},
    "/tokenize": {"content": "x"},
    "/v1/chat/completions": {"messages": CHAT},
}
LOOKS = ("/healthz", "/health", "/v1/models", "/props", "/v1/stats", "/metrics")
STRANGER = 65534  # nobody


def answers() -> ScriptedEngine:
    return ScriptedEngine("an answer")


def client_of(endpoint: Endpoint, token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=endpoint.address.base_url, headers=headers, timeout=20, trust_env=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    return tmp_path


async def statuses(client: httpx.AsyncClient) -> dict[str, int]:
    asked = {path: (await client.post(path, json=body)).status_code for path, body in ASKS.items()}
    return asked | {path: (await client.get(path)).status_code for path in LOOKS}


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        ("complete", {"/v1/chat/completions", "/v1/stats", "/metrics"}),
        ("chat", {"/v1/completions", "/infill", "/tokenize", "/v1/stats", "/metrics"}),
        ("admin", set()),
    ],
)
async def test_a_scope_opens_its_routes_and_no_others(home: Path, scope: Scope, refused: set[str]) -> None:
    _, secret = token_store(home).create("ann", [scope])
    async with serving(home, answers()) as endpoint, client_of(endpoint, secret) as client:
        found = await statuses(client)
        error = (await client.post("/v1/chat/completions", json=ASKS["/v1/chat/completions"])).json().get("error")
    assert {path for path, status in found.items() if status == 403} == refused
    assert {status for path, status in found.items() if path not in refused} == {200}
    if scope == "complete":
        assert error["message"] == "This token may not ask /v1/chat/completions; its scopes: complete."


async def test_a_revoked_token_is_refused_at_once(home: Path) -> None:
    token, secret = token_store(home).create("ann", ["admin"])
    async with serving(home, answers()) as endpoint, client_of(endpoint, secret) as client:
        assert (await client.get("/v1/models")).status_code == 200
        token_store(home).revoke(token.id)
        assert (await client.get("/v1/models")).status_code == 401


async def test_the_quota_of_one_token_is_not_that_of_another(home: Path) -> None:
    (_, ann), (_, bob) = (token_store(home).create(name, ["complete"]) for name in ("ann", "bob"))
    async with serving(home, answers(), limits=LimitSettings(requests_per_minute=1)) as endpoint:
        async with client_of(endpoint, ann) as client:
            assert (await client.post("/v1/completions", json={"prompt": "x"})).status_code == 200
            refused = await client.post("/v1/completions", json={"prompt": "x"})
            assert (await client.get("/healthz")).status_code == 200
        async with client_of(endpoint, bob) as client:
            assert (await client.post("/v1/completions", json={"prompt": "x"})).status_code == 200
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["type"] == "rate_limit_error"


async def test_one_client_of_a_token_leaves_room_for_the_others(home: Path) -> None:
    _, secret = token_store(home).create("team", ["complete"])
    limits = LimitSettings(requests_per_minute=4, client_share=0.25)
    async with serving(home, answers(), limits=limits) as endpoint, client_of(endpoint, secret) as client:
        for name, status in (("a", 200), ("a", 429), ("b", 200), ("", 200), ("", 429)):
            headers = {CLIENT_HEADER: name} if name else {}
            answer = await client.post("/v1/completions", json={"prompt": "x"}, headers=headers)
            assert answer.status_code == status, name
    assert answer.json()["error"]["message"].startswith("This client may use 1 requests a minute")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
async def test_a_foreign_page_is_refused_though_it_has_a_token(home: Path, origin: str) -> None:
    async with (
        serving(home, answers()) as endpoint,
        client_of(endpoint, endpoint.address.token) as client,
    ):
        answer = await client.get("/v1/models", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "host.allowed_origins" in answer.json()["error"]["message"]
        assert (await client.get("/v1/models", headers={"Origin": endpoint.address.base_url})).status_code == 200


async def test_an_allowed_page_may_ask_from_a_browser(home: Path) -> None:
    settings = HostSettings(allowed_origins=("https://editor.example",), allowed_hosts=("heron.example",))
    async with (
        serving(home, answers(), settings) as endpoint,
        client_of(endpoint, endpoint.address.token) as client,
    ):
        headers = {"Origin": "https://editor.example", "Host": "heron.example"}
        answer = await client.get("/v1/models", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://editor.example"
        asking = headers | {"Access-Control-Request-Method": "POST", "Authorization": ""}
        assert (await client.options("/v1/completions", headers=asking)).status_code == 200


async def test_a_head_that_never_ends_is_dropped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_TIME_S", 0.2)
    async with serving(home, answers()) as endpoint:
        host, port = endpoint.listener.getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


@pytest.mark.parametrize("begin", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "])
async def test_a_head_that_is_too_large_is_refused(home: Path, begin: bytes) -> None:
    async with serving(home, answers()) as endpoint:
        reader, writer = await asyncio.open_connection(*endpoint.listener.getsockname())
        writer.write((begin or b"GET /") + b"x" * (connection.MAX_HEAD_BYTES + 1))
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_head_may_come_in_pieces_and_another_after_it(home: Path) -> None:
    async with serving(home, answers()) as endpoint:
        reader, writer = await asyncio.open_connection(*endpoint.listener.getsockname())
        token = endpoint.address.token.encode()
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\nAuthorization: Bearer %s\r\n\r\n"
        for _ in range(3):
            for piece in (head[:5], head[5:] % (b"x" * (connection.MAX_HEAD_BYTES // 2), token)):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200 ")
            length = 0
            while line := (await asyncio.wait_for(reader.readline(), 10)).strip():
                length = int(line[15:]) if line.lower().startswith(b"content-length:") else length
            await reader.readexactly(length)
        writer.close()


async def test_a_body_that_never_comes_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_TIME_S", 0.2)
    async with serving(home, answers()) as endpoint:
        reader, writer = await asyncio.open_connection(*endpoint.listener.getsockname())
        token = endpoint.address.token
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 408 ")
        writer.close()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user here")
async def test_another_user_is_dropped_even_where_the_socket_lets_him(tmp_path: Path) -> None:
    script = (
        f"import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); os.setuid({STRANGER})\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
        "try: print(len(s.recv(100)))\nexcept ConnectionError: print(0)"
    )
    async with serving(tmp_path, answers(), port=None) as endpoint:
        path = Path(endpoint.address.socket_path)
        open_to_all(path)
        command = [sys.executable, "-c", script, str(path)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "0\n", done.stderr


async def test_tls(home: Path, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    settings = HostSettings(tls_certificate=str(certificate), tls_key=str(key))
    async with serving(home, answers(), settings) as endpoint:
        assert endpoint.address.base_url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(certificate))
        headers = {"Authorization": f"Bearer {endpoint.address.token}"}
        async with httpx.AsyncClient(verify=trust, headers=headers, trust_env=False) as client:
            assert (await client.get(f"{endpoint.address.base_url}/healthz")).status_code == 200
        plain = endpoint.address.base_url.replace("https", "http")
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            with pytest.raises(httpx.HTTPError):
                await client.get(f"{plain}/healthz")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (HostSettings(listen="0.0.0.0"), "not a loopback address, and there is no TLS"),
        (HostSettings(listen="example"), "not an IP address"),
        (HostSettings(tls_certificate="/nowhere"), r"host\.tls_certificate: '/nowhere' is not a file"),
        (HostSettings(tls_key=__file__), r"host\.tls_certificate: '' is not a file"),
    ],
)
def test_a_door_is_not_opened_by_half(home: Path, settings: HostSettings, problem: str) -> None:
    with ExitStack() as stack, pytest.raises(InvalidSettings, match=problem):
        open_port(home, 0, settings, stack)


def open_to_all(path: Path) -> None:
    """Take away what the file system keeps a stranger out with."""
    path.chmod(0o666)
    for folder in path.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=heron"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", "req", *options, *names], check=True, capture_output=True)
    return certificate, key


def test_sockets_are_of_this_family() -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        assert not connection.is_strangers(left)
