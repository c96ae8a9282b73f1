"""Open a model, whatever it comes as: a GGUF file, or a folder that MLC-LLM made."""

from pathlib import Path

from heron.host.models.gguf import GgufFile, open_gguf
from heron.host.models.mlc_file import open_mlc


def open_model(path: Path) -> GgufFile:
    """The model at a path, a folder of MLC-LLM's in the form of a GGUF file. Raises as `open_gguf` and `open_mlc`."""
    return open_mlc(path) if path.is_dir() else open_gguf(path)
