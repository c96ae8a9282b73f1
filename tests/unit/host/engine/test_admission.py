"""The queue in front of an engine that cannot be told what is urgent."""

import asyncio

import pytest

from heron.errors import Overloaded
from heron.host.engine.admission import Admission, AdmissionLimits
from heron.wire import GenerateRequest, Priority, TextPrompt


class Door:
    """Requests at an admission, and those that were let in, in order."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self.admission = Admission(limits)
        self.entered: list[str] = []
        self._exits: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, priority: Priority = "completion", client: str = "", cost: float = 1.0) -> None:
        self._exits[name] = asyncio.Event()
        request = GenerateRequest(name, TextPrompt("x"), priority=priority, client=client)
        self._tasks[name] = asyncio.create_task(self._pass(request, cost))
        await settle()

    async def leave(self, name: str) -> None:
        self._exits[name].set()
        await self._tasks[name]
        await settle()

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await settle()

    async def _pass(self, request: GenerateRequest, cost: float) -> None:
        async with self.admission.admit(request) as ticket:
            self.entered.append(request.request_id)
            ticket.charge(cost)
            await self._exits[request.request_id].wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_urgent_go_first_and_leave_as_they_like() -> None:
    door = Door(AdmissionLimits(max_running=1))
    await door.come("first")
    for name in ("background", "chat", "completion"):
        await door.come(name, name)
    await door.leave("first")
    await door.leave("completion")
    assert door.entered == ["first", "completion", "chat"]
    assert (door.admission.num_running, door.admission.num_waiting) == (1, 1)


async def test_chats_leave_a_place_for_completions_and_background_work_all_but_one() -> None:
    door = Door(AdmissionLimits(max_running=3))
    for number in range(3):
        await door.come(f"background {number}", "background")
        await door.come(f"chat {number}", "chat")
    assert door.entered == ["background 0", "chat 0"]
    await door.come("completion")
    assert door.entered[-1] == "completion"


async def test_within_a_priority_the_client_served_least_is_next() -> None:
    door = Door(AdmissionLimits(max_running=1))
    await door.come("a1", client="a", cost=1000.0)
    await door.come("a2", client="a")
    await door.come("b1", client="b")
    await door.leave("a1")
    assert door.entered == ["a1", "b1"]


async def test_who_waits_long_gains_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    door, now = Door(AdmissionLimits(max_running=1, aging_s=10)), 0.0
    monkeypatch.setattr("heron.host.engine.admission.time.monotonic", lambda: now)
    await door.come("first")
    await door.come("background", "background")
    now = 25.0
    await door.come("completion")
    await door.leave("first")
    assert door.entered == ["first", "background"]  # as urgent by now, and it began lower


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    door = Door(AdmissionLimits(max_running=1))
    await door.come("first")
    await door.come("second")
    await door.come("third")
    await door.give_up("second")
    await door.leave("first")
    assert door.entered == ["first", "third"]
    await door.leave("third")
    assert (door.admission.num_running, door.admission.num_waiting) == (0, 0)


async def test_too_many_are_told_when_to_come_back() -> None:
    door = Door(AdmissionLimits(max_running=1, max_waiting=2, max_waiting_each=1))
    await door.come("first", client="a")
    await door.come("second", client="a")
    request = GenerateRequest("third", TextPrompt("x"), client="a")
    with pytest.raises(Overloaded, match="1 requests of this client are waiting") as caught:
        async with door.admission.admit(request):
            pass
    assert 0.1 <= caught.value.retry_after_s <= 60
    await door.come("other", client="b")
    with pytest.raises(Overloaded, match="2 requests are waiting already"):
        async with door.admission.admit(GenerateRequest("fourth", TextPrompt("x"), client="c")):
            pass
    assert door.admission.num_refused == 2
