"""What the adapter takes from `mlc_llm.serve`."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class EngineConfig:
    """Unknown fields are a TypeError, as in the real one."""

    max_num_sequence: int | None = None
    max_total_sequence_length: int | None = None
    max_single_sequence_length: int | None = None
    prefill_chunk_size: int | None = None
    gpu_memory_utilization: float | None = None
    tensor_parallel_shards: int | None = None
    prefix_cache_mode: str = "radix"
    prefill_mode: str = "hybrid"
    speculative_mode: str = "disable"
    spec_draft_length: int = 0
    additional_models: list[Any] = field(default_factory=list)
    verbose: bool = True
