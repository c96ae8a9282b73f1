"""Whoever does not belong gets nothing: every route without a token of its own, foreign names, paths that lead out."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.dashboard import PUBLIC_PATHS as PAGE
from heron.host.api.docs import PUBLIC_PATHS as DOCS
from heron.host.api.doorway import Endpoint
from heron.host.api.service import make_service
from heron.host.engine.scripted import ScriptedEngine
from heron.host.tokens import TokenStore, token_store
from protocol.http_host import pool_of
from protocol.tcp_host import serving

OUTSIDE = "words of a file outside"
LEADING_OUT = (
    "/../../secret.txt",
    "/%2e%2e/%2e%2e/secret.txt",
    "/..%2f..%2fsecret.txt",
    "/..%5c..%5csecret.txt",
    "/dashboard.css/../secret.txt",
    "/docs/../../secret.txt",
    "//secret.txt",
    "/%00/secret.txt",
    "/v1/models/..%2f..%2fsecret.txt",
    "/v1/models/../../secret.txt/load",
    "/v1/requests/..%2f..%2fsecret.txt",
)
REFUSED = {400, 401, 403, 404, 405}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HERON_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    return tmp_path / "home"


def routes() -> list[tuple[str, str]]:
    """Every route of the application but the pages, which hold nothing."""
    paths = create_app(make_service(pool_of(ScriptedEngine("ok"))), Auth()).openapi()["paths"]
    named = (
        (method.upper(), path.format(model="m", request_id="r"))
        for path, methods in paths.items()
        for method in methods
    )
    return [(method, path) for method, path in named if path not in (*PAGE, *DOCS)]


def secrets_of(home: Path) -> Mapping[str, str]:
    """Authorization headers that open nothing."""
    store = token_store(home)
    revoked, gone = store.create("bob", ["admin"])
    store.revoke(revoked.id)
    _, expired = TokenStore(home / "tokens.json", clock=lambda: 0.0).create("ann", ["admin"], days=1)
    secrets = {
        "wrong": "Bearer x",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {gone}",
        "basic": f"Basic {expired}",
    }
    return {"none": "", "empty": "Bearer", **secrets}


async def test_no_route_answers_without_a_token_that_is_valid(home: Path) -> None:
    headers = secrets_of(home)
    async with serving(home, ScriptedEngine("ok")) as endpoint, client_of(endpoint) as client:
        for method, path in routes():
            for kind, header in headers.items():
                answer = await client.request(method, path, headers={"Authorization": header} if header else {})
                assert answer.status_code == 401, (method, path, kind)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.", "169.254.169.254", ""])
async def test_no_route_answers_to_a_foreign_name(home: Path, name: str) -> None:
    async with serving(home, ScriptedEngine("ok")) as endpoint, client_of(endpoint) as client:
        headers = {"Host": name, "Authorization": f"Bearer {endpoint.address.token}"}
        for method, path in (*routes(), *(("GET", path) for path in (*PAGE, *DOCS))):
            assert (await client.request(method, path, headers=headers)).status_code == 403, path


@pytest.mark.parametrize("path", LEADING_OUT)
async def test_no_path_leads_to_a_file(home: Path, path: str) -> None:
    """Sent as it stands: a client's library would put it in order."""
    async with serving(home, ScriptedEngine("ok")) as endpoint:
        reader, writer = await asyncio.open_connection(*endpoint.listener.getsockname())
        token = endpoint.address.token
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {token}",
            "Connection: close",
            "",
            "",
        )
        writer.write("\r\n".join(lines).encode())
        answer = (await asyncio.wait_for(reader.read(), 20)).decode()
        writer.close()
    assert int(answer.split()[1]) in REFUSED
    assert OUTSIDE not in answer


def client_of(endpoint: Endpoint) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=endpoint.address.base_url, timeout=20, trust_env=False)
