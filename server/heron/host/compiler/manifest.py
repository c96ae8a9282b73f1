"""What an artefact folder holds, as JSON: enough to run the model without its GGUF file."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from heron.errors import CorruptModel
from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.traits import Traits

LibraryKind = Literal["shared-object", "llvm-ir"]

WEIGHTS_FILE = "weights.bin"
_MANIFEST_FILE = "manifest.json"
_FORMAT = 2


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """One array in the weights file; `offset` in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A compiled model. `parameters` are in the order the library takes them; `sizes` are bytes of each other file."""

    config: ModelConfig
    attention: AttentionShape
    target: str
    threads: int
    library_kind: LibraryKind
    parameters: tuple[WeightEntry, ...]
    embedding: WeightEntry
    """The embedding's rows as the GGUF file has them"""
    embedding_type: str
    rope_frequencies: tuple[tuple[float, ...], ...]
    """radians a position for each pair of dimensions, one row for each of the traits' tables"""
    sizes: dict[str, int]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of an artefact folder."""
    text = json.dumps({"format": _FORMAT, **dataclasses.asdict(manifest)}, indent=1)
    (folder / _MANIFEST_FILE).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an artefact folder; CorruptModel if it is not one or a file it names is not whole."""
    try:
        values = json.loads((folder / _MANIFEST_FILE).read_text(encoding="utf-8"))
        if values.pop("format") != _FORMAT:
            raise ValueError("it is of another format")
        manifest = _parse(values)
        for name, size in manifest.sizes.items():
            if (found := (folder / name).stat().st_size) != size:
                raise ValueError(f"{name} has {found} bytes instead of {size}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptModel(f"The compiled model in {folder} is damaged: {error}.") from error
    return manifest


def _parse(values: dict[str, Any]) -> Manifest:
    values["config"] = _parse_config(values["config"])
    values["attention"] = AttentionShape(**values["attention"])
    values["parameters"] = tuple(_parse_entry(entry) for entry in values["parameters"])
    values["embedding"] = _parse_entry(values["embedding"])
    values["rope_frequencies"] = tuple(tuple(table) for table in values["rope_frequencies"])
    return Manifest(**values)


def _parse_config(values: dict[str, Any]) -> ModelConfig:
    traits: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values["traits"].items()
    }
    return ModelConfig(**{**values, "traits": Traits(**traits)})


def _parse_entry(values: dict[str, Any]) -> WeightEntry:
    return WeightEntry(**{**values, "shape": tuple(values["shape"])})
