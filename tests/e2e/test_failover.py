"""A host whose engine is another server, which goes away: a real model of this machine answers in its place."""

from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from heron.host.engine.engine import Engine
from heron.host.engine.scripted import ScriptedEngine
from heron.host.pool import Pool
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import GenerateRequest, ModelInfo, Sampling, TextPrompt
from homes import SMALL
from protocol.tcp_host import serving

FAR = "an answer from afar"
REQUEST = GenerateRequest("r", TextPrompt("def add(a, b):\n    return "), Sampling(max_tokens=4))


async def answer(engine: Engine) -> str:
    async with aclosing(engine.generate(REQUEST)) as deltas:
        return "".join([delta.text async for delta in deltas])


async def test_a_local_model_takes_over_and_the_user_is_told(real_home: Path) -> None:
    remote = ScriptedEngine(FAR, model=ModelInfo(SMALL, 512, supports_fim=True, supports_chat=True))
    async with AsyncExitStack() as stack:
        address = (await stack.enter_async_context(serving(real_home, remote))).address
        engine = EngineSettings(remote_url=address.base_url, remote_token=address.token, context_window=512)
        pool = Pool(Settings(model=ModelSettings(SMALL), engine=engine))
        await pool.start()
        try:
            pooled = await pool.engine(60)
            assert (await answer(pooled), pool.health().notice) == (FAR[:16], "")
            await stack.aclose()
            here = await answer(pooled)
            assert here
            assert here != FAR[:16]
            assert "A model of this machine answers" in pool.health().notice
            numbers = await pool.metrics()
            assert (numbers["fallback"], numbers["remote_up"], numbers["worker_crashes_total"]) == (1, 0, 0)
        finally:
            await pool.close()
