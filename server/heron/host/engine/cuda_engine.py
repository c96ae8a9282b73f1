"""A model on an NVIDIA card: whether it fits, and its runner."""

from pathlib import Path

from heron.errors import OutOfMemory
from heron.host.compiler.gpu.artefact import LIBRARY_FILE
from heron.host.compiler.gpu.cards import Card
from heron.host.compiler.gpu.cuda_device import CudaDevice, load_functions
from heron.host.engine.budget import plan_memory
from heron.host.engine.gpu_memory import gpu_memory_need
from heron.host.engine.gpu_runner import GpuRunner, wanted_pages
from heron.host.models.open import open_model
from heron.settings import EngineSettings


def load_cuda_runner(model: Path, artefact: Path, index: int, engine: EngineSettings) -> GpuRunner:
    """The runner of a GGUF file on card `index`, with the kernels of an artefact and `engine.cache_tokens` of KV cache.

    OutOfMemory if another process took the card's memory meanwhile.
    """
    device, functions = CudaDevice(index), load_functions(str(artefact / LIBRARY_FILE))
    return GpuRunner(open_model(model), functions, wanted_pages(engine), device)


def check_fit(model: Path, engine: EngineSettings, card: Card) -> None:
    """UnsupportedModel or, with the numbers, OutOfMemory if the model does not go onto the card."""
    try:
        plan_memory(gpu_memory_need(model), engine, card.free_bytes)
    except OutOfMemory as error:
        raise OutOfMemory(f"{card.describe()}: {error.message}", hint=error.hint) from error
