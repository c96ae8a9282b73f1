from urllib.parse import unquote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from heron.host.api.notice import Notice
from heron.host.engine.scripted import ScriptedEngine
from heron.host.fleet import Fleet
from heron.host.pool import Pool
from heron.host.workers import InProcessWorker
from heron.settings import Settings
from heron.wire import NOTICE_HEADER, Health


def fleet() -> Fleet:
    def make_pool(name: str, make_room: object) -> Pool:
        return Pool(Settings(), lambda settings: InProcessWorker(ScriptedEngine()))

    return Fleet(make_pool, lambda: ())


async def header_with(notice: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The header of an answer while the pool has this notice."""
    pool = fleet()
    monkeypatch.setattr(Fleet, "health", lambda self: Health("ready", "m", notice=notice))
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
    transport = httpx.ASGITransport(Notice(app, pool))
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        answer = await client.get("/")
    assert answer.text == "hello"
    return answer.headers.get(NOTICE_HEADER)


async def test_each_answer_tells_what_the_user_should_know(monkeypatch: pytest.MonkeyPatch) -> None:
    header = await header_with("Memory ran out.\nDas Gerät fehlt.", monkeypatch)
    assert header is not None
    assert header.isascii()
    assert unquote(header) == "Memory ran out.\nDas Gerät fehlt."


async def test_there_is_no_header_while_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await header_with("", monkeypatch) is None
