import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from heron.errors import OutOfMemory, UnknownModel
from heron.host.engine.engine import Engine
from heron.host.engine.scripted import ScriptedEngine
from heron.host.fleet import Fleet, MakeRoom
from heron.host.pool import Pool
from heron.host.workers import InProcessWorker
from heron.settings import Settings
from heron.wire import GenerateRequest, ModelInfo, TextPrompt

ROOM = 2


class Machine:
    """Memory for so many models; every engine that is loaded is noted."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.engines: list[ScriptedEngine] = []

    @property
    def loaded(self) -> set[str]:
        return {engine.model.id for engine in self.engines if not engine.closed}

    def make_pool(self, name: str, make_room: MakeRoom) -> Pool:
        return Pool(Settings(), lambda settings: self._make_worker(name or "main"), make_room=make_room)

    def _make_worker(self, name: str) -> InProcessWorker:
        if len(self.loaded) >= self.room:
            raise OutOfMemory(f"{name} needs 1 of {self.room - len(self.loaded)}.")
        engine = ScriptedEngine(f"I am {name}", model=ModelInfo(name, 4096))
        self.engines.append(engine)
        return InProcessWorker(engine)


@asynccontextmanager
async def fleet_on(machine: Machine, *installed: str) -> AsyncIterator[Fleet]:
    fleet = Fleet(machine.make_pool, lambda: installed)
    await fleet.start()
    await fleet.engine()
    try:
        yield fleet
    finally:
        await fleet.close()
    assert not machine.loaded


async def answer(engine: Engine) -> str:
    async with aclosing(engine.generate(GenerateRequest("1", TextPrompt("x")))) as deltas:
        return "".join([delta.text async for delta in deltas])


async def test_two_models_answer_beside_each_other() -> None:
    machine = Machine()
    async with fleet_on(machine, "main", "large") as fleet:
        assert [other.model for other in fleet.others()] == ["large"]
        assert machine.loaded == {"main"}, "others wait to be asked for"
        assert await answer(await fleet.other_engine("large")) == "I am large"
        assert await answer(await fleet.engine()) == "I am main"
        assert machine.loaded == {"main", "large"}
        assert (await fleet.metrics_of_others())["large"]["loaded"] == 1


async def test_a_model_that_is_not_here_is_refused_with_what_is() -> None:
    async with fleet_on(Machine(), "main", "large") as fleet:
        with pytest.raises(UnknownModel, match=r"Here are: 'main', 'large'\. .*heron models pull"):
            await fleet.other_engine("larger")


async def test_the_model_longest_idle_makes_room() -> None:
    machine = Machine()
    async with fleet_on(machine, "a", "b") as fleet:
        await answer(await fleet.other_engine("a"))
        await answer(await fleet.engine())
        assert await answer(await fleet.other_engine("b")) == "I am b"
        assert machine.loaded == {"main", "b"}
        await answer(await fleet.engine())
        assert await answer(await fleet.other_engine("a")) == "I am a"
        assert machine.loaded == {"main", "a"}


async def test_a_model_in_use_makes_no_room() -> None:
    machine = Machine(room=1)
    async with fleet_on(machine, "a") as fleet:
        machine.engines[0].hold()
        asking = asyncio.create_task(answer(await fleet.engine()))
        await machine.engines[0].wait_for(lambda engine: len(engine.requests) == 1)
        with pytest.raises(OutOfMemory, match="a needs 1 of 0"):
            await fleet.other_engine("a")
        machine.engines[0].release()
        assert await asking == "I am main"
        assert await answer(await fleet.other_engine("a")) == "I am a", "tried again once there is room"
        assert await answer(await fleet.engine()) == "I am main", "and back"


async def test_one_that_does_not_fit_is_refused_with_the_next_smaller_that_is_here() -> None:
    machine = Machine(room=1)
    fleet = Fleet(machine.make_pool, lambda: ("large", "main"), {"large": "medium", "main": ""}.__getitem__)
    await fleet.start()
    await fleet.engine()
    machine.engines[0].hold()
    asking = asyncio.create_task(answer(await fleet.engine()))
    await machine.engines[0].wait_for(lambda engine: len(engine.requests) == 1)
    with pytest.raises(OutOfMemory) as caught:
        await fleet.other_engine("large")
    assert str(caught.value) == "large needs 1 of 0. medium is smaller and on this machine: use it."
    machine.engines[0].release()
    await asking
    await fleet.close()


async def test_a_model_that_was_unloaded_is_not_woken_by_looking_at_it() -> None:
    machine = Machine()
    async with fleet_on(machine, "a") as fleet:
        await fleet.unload()
        await machine.engines[0].wait_for(lambda engine: engine.closed)
        engine = await fleet.engine()
        assert engine.model.id == "main"
        assert not machine.loaded
        assert await answer(engine) == "I am main"


async def test_one_model_is_unloaded_and_loaded_by_its_name() -> None:
    machine = Machine()
    async with fleet_on(machine, "a", "b") as fleet:
        await fleet.other_engine("a")
        await fleet.unload("a")
        await fleet.unload("b")
        await machine.engines[1].wait_for(lambda engine: engine.closed)
        assert machine.loaded == {"main"}
        await fleet.wake("a")
        await fleet.wake("b")
        assert await answer(await fleet.other_engine("a")) == "I am a"
        await fleet.unload("main")
        await machine.engines[0].wait_for(lambda engine: engine.closed)
        assert machine.loaded == {"a"}
        with pytest.raises(UnknownModel):
            await fleet.unload("c")


async def test_unloading_gives_all_memory_back() -> None:
    machine = Machine()
    async with fleet_on(machine, "a") as fleet:
        await fleet.other_engine("a")
        await fleet.unload()
        for engine in machine.engines:
            await engine.wait_for(lambda engine: engine.closed)
        assert not machine.loaded
