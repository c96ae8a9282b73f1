"""The page at `/docs`: all routes and types of the real application, for whoever opens it, nothing from elsewhere."""

import re

import httpx

from heron.host.api.auth import Auth
from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import in_memory


async def fetch(path: str, auth: Auth | None = None) -> httpx.Response:
    async with in_memory(ScriptedEngine("ok"), auth) as client:
        return await client.get(path)


async def test_every_route_and_type_is_there_and_every_link_leads_somewhere() -> None:
    page, schema = (await fetch("/docs")).text, (await fetch("/openapi.json")).json()
    for path, methods in schema["paths"].items():
        for method in methods:
            assert f"<b>{method.upper()}</b> {path}</h3>" in page
    for path in ("/v1/stream", "/lsp", *schema["components"]["schemas"]):
        assert f">{path}</h3>" in page
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= set(anchors)
    for link in re.findall(r'(?:href|src)="([^#"]+)"', page):
        assert link == "data:," or (await fetch(f"/{link}")).status_code == 200


async def test_it_needs_no_token_and_may_load_nothing() -> None:
    answer = await fetch("/docs", Auth("a-token"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|https?:|style=", answer.text)
    assert (await fetch("/v1/stats", Auth("a-token"))).status_code == 401
