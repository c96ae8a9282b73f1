"""The real models as engines of this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from heron.host.compiler.artefact import ensure_artefact
from heron.host.engine.engine import Engine
from heron.host.engine.local_engine import EnginePolicy, LocalEngine
from heron.host.engine.mlc_tokenizer import tokenizer_of
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.catalog import entry_of
from heron.host.models.store import Store
from heron.settings import EngineSettings
from heron.wire import GenerateRequest, ModelInfo, Prompt, Sampling, Usage


@asynccontextmanager
async def open_engine(
    home: Path, name: str, settings: EngineSettings | None = None, limits: SchedulerLimits | None = None
) -> AsyncIterator[LocalEngine]:
    """A stored model in this process; compiled on first use, like everything in `home`."""
    settings = settings or EngineSettings()
    artefact = await asyncio.to_thread(artefact_of, home, name, settings)
    tokenizer = Tokenizer.load(artefact)
    model = ModelInfo(name, settings.context_window, tokenizer.fim is not None)
    engine = LocalEngine(load_runner(artefact, settings), tokenizer, model, EnginePolicy(limits or SchedulerLimits()))
    try:
        yield engine
    finally:
        await engine.close()


def artefact_of(home: Path, name: str, settings: EngineSettings) -> Path:
    path = Store(home).path_of(entry_of(name))
    return ensure_artefact(path, settings, lambda progress: None, lambda file, to: tokenizer_of(file).save(to))


async def answer(engine: Engine, prompt: Prompt, max_tokens: int = 32) -> tuple[str, Usage]:
    """The greedy answer to a prompt, and its token counts."""
    request = GenerateRequest(f"test-{id(prompt)}", prompt, Sampling(max_tokens=max_tokens))
    text, usage = "", Usage()
    async with aclosing(engine.generate(request)) as deltas:
        async for delta in deltas:
            text += delta.text
            usage = delta.usage or usage
    return text, usage
