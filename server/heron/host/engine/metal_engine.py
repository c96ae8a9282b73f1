"""A model on the GPU of a Mac: its runner. Emulated in tests, not yet run on Apple's hardware."""

from pathlib import Path

from heron.host.compiler.gpu.artefact import LIBRARY_FILE
from heron.host.compiler.gpu.metal_device import load_functions, open_metal_device
from heron.host.engine.gpu_runner import GpuRunner, wanted_pages
from heron.host.models.open import open_model
from heron.settings import EngineSettings


def load_metal_runner(model: Path, artefact: Path, engine: EngineSettings) -> GpuRunner:
    """The runner of a GGUF file, with the kernels of an artefact and `engine.cache_tokens` of KV cache.

    ResourceError if TVM does not see the GPU, OutOfMemory if there is no room.
    """
    device = open_metal_device()
    return GpuRunner(open_model(model), load_functions(str(artefact / LIBRARY_FILE)), wanted_pages(engine), device)
