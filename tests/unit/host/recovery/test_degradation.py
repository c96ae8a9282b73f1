from dataclasses import replace

import pytest

from heron.errors import DeviceLost, WorkerCrashed, WorkerKilled, WorkerOutOfMemory
from heron.host.recovery.degradation import Ladder
from heron.settings import EngineSettings, Settings

NO_MEMORY = WorkerOutOfMemory("The system killed the engine worker, for memory had run out.")
CARD = Settings(engine=EngineSettings(device="cuda", context_window=4096))


def test_memory_that_ran_out_takes_context_then_batch_then_the_card() -> None:
    ladder = Ladder(CARD)
    assert ladder.descend(NO_MEMORY, on_card=True)
    assert ladder.settings.engine == replace(
        CARD.engine, context_window=1024, cache_tokens=2048, long_prompt="slide", device="cuda"
    )
    assert ladder.descend(NO_MEMORY, on_card=True)
    assert (ladder.settings.engine.max_running, ladder.settings.engine.device) == (1, "cuda")
    assert ladder.descend(NO_MEMORY, on_card=True)
    assert (ladder.settings.engine.max_running, ladder.settings.engine.device) == (1, "cpu")
    assert not ladder.descend(NO_MEMORY, on_card=True)


def test_there_is_no_card_to_leave_on_the_cpu() -> None:
    ladder = Ladder(Settings())
    assert [ladder.descend(NO_MEMORY, on_card=False) for _ in range(3)] == [True, True, False]
    assert ladder.settings.engine.device == "auto"


def test_a_lost_card_leaves_the_rest_as_it_was() -> None:
    ladder = Ladder(CARD)
    assert ladder.descend(DeviceLost("The card failed: out of luck."), on_card=True)
    assert ladder.settings.engine == replace(CARD.engine, device="cpu")
    assert ladder.notice == "The card failed: out of luck. The model runs on the CPU until that is over."


@pytest.mark.parametrize("reason", [WorkerCrashed("It ended."), WorkerKilled("It was killed.")])
def test_less_does_not_help_against_what_is_not_understood_but_the_card_is_left_at_last(reason: WorkerCrashed) -> None:
    ladder = Ladder(CARD)
    assert not ladder.descend(reason, on_card=True)
    assert not ladder.descend(reason, on_card=False, is_last_try=True)
    assert ladder.descend(reason, on_card=True, is_last_try=True)
    assert not ladder.descend(reason, on_card=True, is_last_try=True)


def test_all_is_undone_and_nothing_told_any_more() -> None:
    ladder = Ladder(CARD)
    ladder.descend(NO_MEMORY, on_card=True)
    ladder.descend(NO_MEMORY, on_card=True)
    assert "with a smaller context window and one request at a time" in ladder.notice
    ladder.rise()
    assert (ladder.settings, ladder.notice, ladder.is_down) == (CARD, "", False)
