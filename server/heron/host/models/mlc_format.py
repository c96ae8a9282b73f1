"""Read what a folder of MLC-LLM's says of its model: `mlc-chat-config.json` and `tensor-cache.json`.

The weights are in `params_shard_N.bin`, each a row of records; a record says where a tensor lies, and whether its
float32 values are stored as the upper halves of their bits (`f32-to-bf16`). Nothing of the weights is read here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

from heron.errors import CorruptModel, ModelUnavailable, NoPermission

CONFIG_FILE = "mlc-chat-config.json"
CACHE_FILES = ("tensor-cache.json", "ndarray-cache.json")
"""the second is what MLC-LLM wrote until 2025"""
TOKENIZER_FILE = "tokenizer.json"
ITEM_BYTES: Mapping[str, int] = MappingProxyType(
    {"float16": 2, "bfloat16": 2, "float32": 4, "uint32": 4, "int32": 4, "uint8": 1, "int8": 1}
)
HALVED = "f32-to-bf16"
_ENCODINGS = ("raw", HALVED)
_CONFIG_KEYS: Mapping[str, type] = MappingProxyType(
    {
        "model_type": str,
        "quantization": str,
        "model_config": dict,
        "vocab_size": int,
        "context_window_size": int,
        "prefill_chunk_size": int,
    }
)


@dataclass(frozen=True, slots=True)
class MlcConfig:
    """The content of `mlc-chat-config.json` that Heron uses; `values` is all of it."""

    model_type: str
    quantization: str
    shape: Mapping[str, Any]
    """`model_config`: the decoder's dimensions by the names of the family's own config"""
    vocab_size: int
    context_window: int
    values: Mapping[str, Any]

    @property
    def longest(self) -> int:
        """Most tokens of a sequence that see one another: the context, or the sliding window that stands for it; 0 for
        a model that does not tell."""
        sliding = self.values.get("sliding_window_size")
        told = [self.context_window, sliding if type(sliding) is int else 0]
        return min((size for size in told if size > 0), default=0)


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """Where one tensor lies in its shard; sizes and offsets in bytes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    encoding: str
    num_bytes: int
    offset: int

    @property
    def wanted_bytes(self) -> int:
        """What its shape and type take as stored."""
        return prod(self.shape) * (2 if self.is_halved else ITEM_BYTES[self.dtype])

    @property
    def is_halved(self) -> bool:
        """Whether float32 values are stored as bfloat16 ones."""
        return self.encoding == HALVED and self.dtype == "float32"


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of weights; `md5` is empty where the folder does not tell."""

    file_name: str
    num_bytes: int
    md5: str
    records: tuple[TensorRecord, ...]


def is_mlc_folder(path: Path) -> bool:
    """Whether a path is a folder that MLC-LLM made."""
    return (path / CONFIG_FILE).is_file()


def read_mlc_config(folder: Path) -> MlcConfig:
    """Raises CorruptModel that names the key, ModelUnavailable where there is no such folder."""
    path = folder / CONFIG_FILE
    values = _read_object(path)
    for key, kind in _CONFIG_KEYS.items():
        if type(values.get(key)) is not kind:
            raise CorruptModel(f"{path}: {key} is {values.get(key)!r}, not {_describe(kind)}.")
    return MlcConfig(
        model_type=values["model_type"],
        quantization=values["quantization"],
        shape=values["model_config"],
        vocab_size=values["vocab_size"],
        context_window=values["context_window_size"],
        values=values,
    )


def read_tensor_cache(folder: Path) -> tuple[Shard, ...]:
    """The shards with their records, in the order of the file. Raises CorruptModel that names what is wrong."""
    path = cache_path(folder)
    shards = _read_object(path).get("records")
    if not isinstance(shards, list) or not shards:
        raise CorruptModel(f"{path}: records is not a list of shards.")
    try:
        return tuple(_read_shard(shard) for shard in shards)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptModel(f"{path} is not a list of weights: {type(error).__name__}: {error}.") from error


def cache_path(folder: Path) -> Path:
    """The file that lists the weights, by its present name or the former one."""
    return next((folder / name for name in CACHE_FILES if (folder / name).is_file()), folder / CACHE_FILES[0])


def _read_shard(values: dict[str, Any]) -> Shard:
    if values["format"] != "raw-shard":
        raise ValueError(f"the format {values['format']!r} is unknown")
    name = values["dataPath"]
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not the name of a file")
    records = tuple(_read_record(record) for record in values["records"])
    return Shard(name, int(values["nbytes"]), str(values.get("md5sum", "")), records)


def _read_record(values: dict[str, Any]) -> TensorRecord:
    shape = tuple(int(size) for size in values["shape"])
    record = TensorRecord(
        str(values["name"]), shape, values["dtype"], values["format"], int(values["nbytes"]), int(values["byteOffset"])
    )
    if record.dtype not in ITEM_BYTES or record.encoding not in _ENCODINGS:
        raise ValueError(f"{record.name} is {record.dtype} as {record.encoding}, which is unknown")
    if min(shape, default=1) < 1 or record.offset < 0:
        raise ValueError(f"{record.name} has the shape {shape} at byte {record.offset}")
    return record


def _read_object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelUnavailable(f"{path.parent} is no whole model of MLC-LLM's: it has no {path.name}.") from error
    except PermissionError as error:
        raise NoPermission(f"{path} may not be read by this user.") from error
    except (ValueError, RecursionError) as error:
        raise CorruptModel(f"{path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise CorruptModel(f"{path} is not a JSON object.")
    return values


def _describe(kind: type) -> str:
    return {str: "a text", int: "a whole number", dict: "a table"}[kind]
