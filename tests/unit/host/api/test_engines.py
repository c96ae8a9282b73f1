import asyncio
import logging
from contextlib import aclosing

import pytest

from heron.errors import InvalidRequest, ModelNotReady, ModelUnavailable, UnknownModel
from heron.host.api import engines
from heron.host.api.engines import generate, ready_engine
from heron.host.api.ledger import Finished, Ledger
from heron.host.engine.engine import Engine
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import GenerateRequest, Health, TextPrompt

REQUEST = GenerateRequest("r1", TextPrompt("secret prompt"))


class StubPool:
    """A pool in a state, with an engine, an error, or neither."""

    def __init__(self, health: Health, engine: Engine | None = None, error: Exception | None = None) -> None:
        self._health, self._engine, self._error = health, engine, error

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def unload(self, model: str = "") -> None: ...

    async def other_engine(self, model: str) -> Engine:
        raise UnknownModel(f"The model {model!r} is not served here.")

    async def wake(self, model: str = "") -> None: ...

    def health(self) -> Health:
        return self._health

    async def engine(self) -> Engine:
        if self._error:
            raise self._error
        if self._engine is None:
            await asyncio.Event().wait()
        assert self._engine
        return self._engine


async def test_the_loaded_model_is_taken() -> None:
    engine = ScriptedEngine()
    pool = StubPool(Health("ready", "scripted"), engine)
    for name in (None, "", "auto", "scripted"):
        assert await ready_engine(pool, name) is engine
    with pytest.raises(UnknownModel, match="'other' is not served here"):
        await ready_engine(pool, "other")


async def test_a_download_is_not_waited_for() -> None:
    pool = StubPool(Health("downloading", "m", "12 of 400 MB", 0.03), ScriptedEngine())
    with pytest.raises(ModelNotReady, match=r"'m' is not ready yet, it is downloading \(3%\): 12 of 400 MB"):
        await ready_engine(pool, None)


async def test_loading_is_waited_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE_S", 0.01)
    with pytest.raises(ModelNotReady, match="The model is not ready yet, it is loading"):
        await ready_engine(StubPool(Health("loading", "auto")), None)


async def test_why_a_model_failed_is_told() -> None:
    with pytest.raises(ModelUnavailable, match="No network"):
        await ready_engine(StubPool(Health("failed"), error=ModelUnavailable("No network.")), None)


async def test_a_request_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[Finished] = []
    ledger = Ledger(seen.append)
    async with aclosing(generate(ScriptedEngine("secret answer"), REQUEST, ledger)) as deltas:
        assert "".join([delta.text async for delta in deltas]) == "secret answer"
    [line] = caplog.messages
    assert line.startswith("r1 completion stop: first ")
    assert line.endswith("4 (0 cached) + 4 tokens")
    assert "secret" not in line


async def test_the_log_tells_how_a_request_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen: list[Finished] = []
    ledger = Ledger(seen.append)
    async with aclosing(generate(ScriptedEngine("a long answer"), REQUEST, ledger)) as deltas:
        await anext(deltas)
    with pytest.raises(InvalidRequest):
        await anext(generate(ScriptedEngine({"": InvalidRequest("No.")}), REQUEST, ledger))
    cancelled, refused = caplog.messages
    assert " cancelled: " in cancelled
    assert cancelled.endswith("+ 1 tokens"), "what was sent until then"
    assert " invalid_request: " in refused
    assert [(one.outcome, one.category) for one in seen] == [("cancelled", ""), ("invalid_request", "integration")]
    assert (seen[0].usage.completion_tokens, seen[1].first_ms) == (1, 0.0)
