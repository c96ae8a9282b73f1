"""A card that fails ends the engine at once and says so; on the CPU a failed step is one failed step."""

from contextlib import aclosing

import pytest

from heron.errors import DeviceLost, OutOfMemory, SystemFault, WorkerCrashed
from heron.host.engine.card_lost import card_lost, telling_of_card
from heron.host.engine.local_engine import LocalEngine
from heron.wire import GenerateRequest, ModelInfo, TextPrompt
from unit.host.engine.byte_tokenizer import VOCAB_SIZE, make_byte_tokenizer
from unit.host.engine.fake_runner import FakeRunner

FAULT = RuntimeError("cudaStreamSynchronize: unspecified launch failure\n  at /src/cuda.cc:12")


async def ask(engine: LocalEngine) -> None:
    async with aclosing(engine.generate(GenerateRequest("r", TextPrompt("ab")))) as deltas:
        async for _ in deltas:
            pass


async def test_a_step_that_fails_on_a_card_ends_the_engine() -> None:
    runner = FakeRunner(64, 4, VOCAB_SIZE)
    engine = LocalEngine(runner, make_byte_tokenizer(), ModelInfo("m", 64, on_card=True))
    runner.error = FAULT
    with pytest.raises(DeviceLost, match=r"^The card failed: cudaStreamSynchronize: unspecified launch failure\.$"):
        await ask(engine)
    with pytest.raises(WorkerCrashed):
        await ask(engine)
    await engine.close()


async def test_on_the_cpu_it_is_one_failed_step() -> None:
    runner = FakeRunner(64, 4, VOCAB_SIZE)
    engine = LocalEngine(runner, make_byte_tokenizer(), ModelInfo("m", 64))
    runner.error = FAULT
    with pytest.raises(SystemFault, match="failed in a step"):
        await ask(engine)
    runner.error = None
    await ask(engine)
    await engine.close()


def test_what_fails_while_a_model_goes_onto_a_card_is_told_of_the_card() -> None:
    with pytest.raises(DeviceLost), telling_of_card(True):
        raise FAULT
    with pytest.raises(RuntimeError), telling_of_card(False):
        raise FAULT
    with pytest.raises(OutOfMemory), telling_of_card(True):
        raise OutOfMemory("No room.")


def test_an_error_without_words_has_its_name() -> None:
    assert card_lost(RuntimeError()).message == "The card failed: RuntimeError."
