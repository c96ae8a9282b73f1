"""Small whole folders of MLC-LLM's: a tiny decoder's weights and a tiny vocabulary."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlc_folders import MlcWriter, write_mlc_folder, write_tokenizer
from tiny_models import TinyVocabulary, write_gguf
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder


def make_mlc_folder(folder: Path, quantization: str = "q4f16_1", **changes: Any) -> Path:
    """A folder with weights, configuration and tokenizer; `changes` are of the configuration's own keys."""
    decoder = replace(TINIEST, vocab_size=len(TinyVocabulary().tokens()))
    source = write_decoder(folder.with_name(f"{folder.name}-weights.gguf"), decoder)
    write_mlc_folder(source, folder, MlcWriter(quantization, shard_bytes=1 << 14))
    write_tokenizer(write_gguf(folder.with_name(f"{folder.name}-words.gguf"), TinyVocabulary()), folder)
    change_config(folder, context_window_size=512, prefill_chunk_size=512, **changes)
    return folder


def make_library(path: Path, metadata: dict[str, Any]) -> Path:
    """A real library with a `_metadata` function, as MLC-LLM's compiler leaves one; skips without a C compiler."""
    import tvm
    from tvm import relax
    from tvm.support import cc

    if cc.get_cc() is None:
        pytest.skip("no C compiler, and libraries are linked by one")
    builder = relax.BlockBuilder()
    with builder.function("_metadata", params=[]):
        builder.emit_func_output(tvm.ir.StringImm(json.dumps(metadata)))
    tvm.compile(builder.finalize(), target="llvm").export_library(str(path))
    return path


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "mlc-chat-config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
