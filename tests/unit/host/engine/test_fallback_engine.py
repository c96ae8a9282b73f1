"""Another server as the engine and a local model behind it: when which of them answers, and what the user is told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from heron.errors import HostUnreachable, InvalidRequest, OutOfMemory
from heron.host.engine.engine import Engine
from heron.host.engine.fallback_engine import FallbackEngine, Sides
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import Delta, GenerateRequest, ModelInfo, TextPrompt

GONE = HostUnreachable("The remote server was lost.")
REQUEST = GenerateRequest("r", TextPrompt("x"))


class World:
    """A server that comes and goes, a local model, and what was told of them."""

    def __init__(self, *, is_up: bool = True, can_load: bool = True) -> None:
        self.is_up, self.can_load = is_up, can_load
        self.local = ScriptedEngine("here", model=ModelInfo("local", 100))
        self.num_loads = 0
        self.told: list[str] = []

    def sides(self, check_s: float = 0.001) -> Sides:
        return Sides(self.connect, self.load, self.told.append, check_s)

    def connect(self) -> Engine:
        if not self.is_up:
            raise GONE
        return Remote(self)

    def load(self) -> Engine:
        self.num_loads += 1
        if not self.can_load:
            raise OutOfMemory("It does not fit.")
        return self.local


class Remote(ScriptedEngine):
    """The server as long as it is up; one that goes amid an answer breaks it off."""

    def __init__(self, world: World) -> None:
        super().__init__("there and back", model=ModelInfo("remote", 200))
        self._world = world

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        async with aclosing(super().generate(request)) as deltas:
            async for delta in deltas:
                if not self._world.is_up:
                    raise GONE
                yield delta


async def answer(engine: Engine) -> str:
    async with aclosing(engine.generate(REQUEST)) as deltas:
        return "".join([delta.text async for delta in deltas])


async def until(engine: FallbackEngine, **numbers: float) -> None:
    """Wait until the engine's own watch has brought it so far."""
    async with asyncio.timeout(20):
        while not numbers.items() <= (await engine.metrics()).items():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_the_server_answers_while_it_is_there() -> None:
    world = World()
    engine = FallbackEngine(world.sides(), world.connect())
    assert (await answer(engine), engine.model.id) == ("there and back", "remote")
    assert (world.num_loads, world.told) == (0, [])
    await engine.close()


async def test_a_request_that_finds_it_gone_is_answered_here_and_the_user_told_once() -> None:
    world = World()
    engine = FallbackEngine(world.sides(check_s=60), world.connect())
    world.is_up = False
    assert await asyncio.gather(answer(engine), answer(engine)) == ["here", "here"]
    assert (world.num_loads, len(world.told)) == (1, 1)
    assert "A model of this machine answers" in world.told[0]
    assert engine.model.id == "remote", "it goes by the name that clients know"
    await engine.close()


async def test_it_goes_back_when_the_server_has_and_frees_the_model() -> None:
    world = World()
    engine = FallbackEngine(world.sides(), world.connect())
    await answer(engine)
    world.is_up = False
    await until(engine, fallback=1.0)
    assert await answer(engine) == "here"
    world.is_up = True
    await until(engine, fallback=0.0)
    assert await answer(engine) == "there and back"
    await asyncio.wait_for(world.local.wait_for(lambda local: local.closed), 20)
    assert world.told[-1] == ""
    await engine.close()


async def test_an_answer_that_broke_off_is_not_gone_on_with_by_another_model() -> None:
    world = World()
    engine = FallbackEngine(world.sides(check_s=60), world.connect())
    async with aclosing(engine.generate(REQUEST)) as deltas:
        await anext(deltas)
        world.is_up = False
        with pytest.raises(HostUnreachable):
            await anext(deltas)
    assert await answer(engine) == "here"
    await engine.close()


async def test_it_begins_here_if_the_server_is_not_there() -> None:
    world = World(is_up=False)
    engine = FallbackEngine(world.sides(), None, world.local)
    assert (await answer(engine), engine.model.id, world.num_loads) == ("here", "local", 0)
    assert "does not answer. A model of this machine" in world.told[0]
    world.is_up = True
    await until(engine, fallback=0.0)
    assert await answer(engine) == "there and back"
    await engine.close()


async def test_a_model_that_does_not_load_is_told_and_tried_again() -> None:
    world = World(can_load=False)
    engine = FallbackEngine(world.sides(check_s=60), world.connect())
    world.is_up = False
    with pytest.raises(OutOfMemory):
        await answer(engine)
    world.can_load = True
    assert await answer(engine) == "here"
    await engine.close()


async def test_other_errors_of_the_server_are_the_clients() -> None:
    refusing = ScriptedEngine(lambda request: InvalidRequest("No."), model=ModelInfo("remote", 200))
    world = World()
    engine = FallbackEngine(world.sides(check_s=60), refusing)
    with pytest.raises(InvalidRequest):
        await answer(engine)
    assert world.num_loads == 0
    await engine.close()
