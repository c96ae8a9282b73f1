"""What a model takes of a GPU's memory, as `budget` counts it."""

from pathlib import Path

from heron.host.compiler.architectures import read_config
from heron.host.compiler.gpu.memory import card_need
from heron.host.compiler.kernels.pages import PAGE_SIZE
from heron.host.engine.budget import MemoryNeed
from heron.host.models.open import open_model


def gpu_memory_need(model: Path) -> MemoryNeed:
    """Of a GGUF file; UnsupportedModel if the kernels do not run it."""
    file = open_model(model)
    config = read_config(file)
    need = card_need(file, config)
    return MemoryNeed(need.fixed_bytes, need.page_bytes, PAGE_SIZE, config.context_length)
