import asyncio

import pytest

from heron.editor.features.supersede import Turns


async def hold(turns: Turns, uri: str, log: list[str], name: str) -> None:
    try:
        with turns.take(uri):
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append(f"{name} {'current' if turns.is_current(uri) else 'superseded'}")
        raise


async def test_a_newer_task_cancels_the_older_of_the_same_document_only() -> None:
    turns, log = Turns(), []
    tasks = [asyncio.create_task(hold(turns, uri, log, name)) for uri, name in [("a", "1"), ("b", "2"), ("a", "3")]]
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(tasks[0], 10)
    assert log == ["1 superseded"]
    assert not tasks[1].done()
    assert not tasks[2].done()
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_turn_ends_with_its_task() -> None:
    turns = Turns()
    with turns.take("a"):
        assert turns.is_current("a")
    assert not turns.is_current("a")
    with turns.take("a"):
        assert turns.is_current("a")
