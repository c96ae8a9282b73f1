"""The tables by which attention turns the bias of keys to their positions; see `kernels.key_bias`."""

import numpy as np
import numpy.typing as npt

from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.kernels.pages import PAGE_SIZE
from heron.host.compiler.rotation import rotation_tables

PAGE_TURNS, OFFSET_TURNS = "page_turns", "offset_turns"
"""Names that `decoder.Decoder` gives these parameters."""

Shape = tuple[int, ...]


def key_turn_shapes(config: ModelConfig) -> tuple[Shape, Shape]:
    """The shapes of both tables, for all positions of the model's context."""
    tables, pages = len(config.traits.tables), -(-config.context_length // PAGE_SIZE)
    return (tables, pages, config.head_size), (tables, config.head_size, PAGE_SIZE)


def make_key_turns(config: ModelConfig, frequencies: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float32]]:
    """Both tables by name, for RoPE's frequencies [tables, head_size / 2]."""
    (_, pages, _), _ = key_turn_shapes(config)
    firsts = np.arange(pages, dtype=np.int32) * PAGE_SIZE
    offsets = rotation_tables(np.arange(PAGE_SIZE, dtype=np.int32), frequencies)
    return {PAGE_TURNS: rotation_tables(firsts, frequencies), OFFSET_TURNS: offsets.transpose(0, 2, 1)}
