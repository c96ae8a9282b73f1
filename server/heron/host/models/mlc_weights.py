"""The tensors of a folder of MLC-LLM's as they are stored, read one by one when they are asked for."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.models.mlc_format import TensorRecord, read_tensor_cache

Array = npt.NDArray[Any]


def read_weights(folder: Path) -> Mapping[str, Callable[[], Array]]:
    """By name, what reads a tensor of a folder that was checked; float32 stored in halves is float32 again."""
    shards = read_tensor_cache(folder)
    return {
        record.name: partial(_read, folder / shard.file_name, record) for shard in shards for record in shard.records
    }


def _read(path: Path, record: TensorRecord) -> Array:
    with path.open("rb") as file:
        file.seek(record.offset)
        data = file.read(record.num_bytes)
    if record.is_halved:
        halves = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return halves.view(np.float32).reshape(record.shape)
    return np.frombuffer(data, _numpy_type(record.dtype)).reshape(record.shape)


def _numpy_type(dtype: str) -> Any:
    if dtype != "bfloat16":
        return np.dtype(dtype)
    import ml_dtypes  # comes with TVM

    return ml_dtypes.bfloat16
