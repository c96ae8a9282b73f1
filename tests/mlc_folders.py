"""Folders as MLC-LLM's `convert_weight` and `gen_config` write them, made from a GGUF file byte for byte.

The quantisation here is the forward one of MLC-LLM's `GroupQuantize`, on its own: what reads it back shares no code.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.compiler.architectures import ModelConfig, read_config
from heron.host.models.gguf import GgufFile, GgufTensor, dequantize, open_gguf

Array = npt.NDArray[Any]
Float32 = npt.NDArray[np.float32]

_DTYPES = {
    "q0f16": "float16",
    "q0f32": "float32",
    "q4f16_1": "float16",
    "q4f32_1": "float32",
    "q4f16_0": "float16",
    "q0bf16": "bfloat16",
    "q4bf16_1": "bfloat16",
}
_FUSED = {"llama": "self_attn.qkv_proj", "gemma": "self_attn.qkv_proj", "gemma2": "self_attn.qkv_proj",
          "qwen2": "self_attn.c_attn", "qwen3": "self_attn.c_attn", "phi3": "mixer.qkv_proj",
          "starcoder2": "self_attn.wqkv_pack"}  # fmt: skip
CONVERSATION = {
    "name": "chatml",
    "system_template": "<|im_start|>system\n{system_message}<|im_end|>\n",
    "system_message": "You are a helpful assistant.",
    "system_prefix_token_ids": None,
    "add_role_after_system_message": True,
    "roles": {"user": "<|im_start|>user", "assistant": "<|im_start|>assistant", "tool": "<|im_start|>user"},
    "role_templates": {
        "user": "{user_message}", "assistant": "{assistant_message}", "system": "{system_message}",
        "tool": "{tool_message}",
    },
    "messages": [],
    "seps": ["<|im_end|>\n"],
    "role_content_sep": "\n",
    "role_empty_sep": "\n",
    "stop_str": [],
    "stop_token_ids": [],
    "function_string": "",
    "use_function_calling": False,
}  # fmt: skip


@dataclass
class MlcWriter:
    """What a folder is made of. `weights` are the float32 values it stands for, by the GGUF file's names."""

    quantization: str
    shard_bytes: int = 1 << 25
    halves_float32: bool = True
    """store float32 values as bfloat16, as MLC-LLM does"""
    tensors: dict[str, Array] = field(default_factory=dict)
    weights: dict[str, Float32] = field(default_factory=dict)

    @property
    def dtype(self) -> str:
        return _DTYPES[self.quantization]

    def add_vector(self, name: str, values: Float32, parts: dict[str, int]) -> None:
        stored = self._store(name, values)
        self._note(parts, stored)

    def add_matrix(self, name: str, values: Float32, parts: dict[str, int], is_embedding: bool = False) -> None:
        """A weight, and the GGUF names of its rows with how many each has."""
        if not self.quantization.startswith("q4"):
            self._note(parts, self._store(f"{name}.weight", values))
            return
        words, scales, codes = quantize_group(values.astype("float32" if self.dtype == "bfloat16" else self.dtype))
        across = self.quantization.endswith("_0") and not is_embedding
        self.tensors[f"{name}.q_weight"] = np.ascontiguousarray(words.T) if across else words
        kept = self._store(f"{name}.q_scale", np.ascontiguousarray(scales.T) if across else scales)
        kept = kept.T if across else kept
        exact = (codes.astype(np.float32) - 7) * np.repeat(kept.astype(np.float32), 32, axis=1)
        self._note(parts, exact)

    def _store(self, name: str, values: Array) -> Float32:
        """Keep values in the model's type; as float32, what comes back of them."""
        if self.dtype == "bfloat16":
            self.tensors[name] = to_bfloat16(values)
            return from_bfloat16(self.tensors[name])
        stored = values.astype(self.dtype)
        self.tensors[name] = stored
        if self.dtype == "float32" and self.halves_float32:
            return from_bfloat16(to_bfloat16(stored))
        return stored.astype(np.float32)

    def _note(self, parts: dict[str, int], values: Float32) -> None:
        first = 0
        for name, count in parts.items():
            self.weights[name] = values[first : first + count]
            first += count

    def write(self, folder: Path) -> None:
        records, shards, size = [], [], 0
        with_bytes = [(name, values, *self._encode(values)) for name, values in self.tensors.items()]
        pending: list[bytes] = []

        def flush() -> None:
            nonlocal records, pending, size
            if not records:
                return
            data, file_name = b"".join(pending), f"params_shard_{len(shards)}.bin"
            (folder / file_name).write_bytes(data)
            shards.append({"dataPath": file_name, "format": "raw-shard", "nbytes": len(data), "records": records,
                           "md5sum": hashlib.md5(data).hexdigest()})  # fmt: skip
            records, pending, size = [], [], 0

        for name, values, data, encoding in with_bytes:
            if size + len(data) > self.shard_bytes:
                flush()
            records.append({"name": name, "shape": list(values.shape), "dtype": _dtype_name(values), "format": encoding,
                            "nbytes": len(data), "byteOffset": size})  # fmt: skip
            pending.append(data)
            size += len(data)
        flush()
        total = sum(shard["nbytes"] for shard in shards)
        metadata = {"ParamSize": len(self.tensors), "ParamBytes": float(total), "BitsPerParam": 4.5}
        (folder / "tensor-cache.json").write_text(json.dumps({"metadata": metadata, "records": shards}))

    def _encode(self, values: Array) -> tuple[bytes, str]:
        if not self.halves_float32:
            return values.tobytes(), "raw"
        return (to_bfloat16(values).tobytes() if values.dtype == np.float32 else values.tobytes()), "f32-to-bf16"


def _dtype_name(values: Array) -> str:
    """numpy knows no bfloat16; only such values are kept as uint16."""
    return "bfloat16" if values.dtype == np.uint16 else values.dtype.name


def quantize_group(weights: Array) -> tuple[Array, Array, Array]:
    """Code words [n, K / 8], scales [n, K / 32] in the weights' type, and the codes [n, K], 0 to 14."""
    groups = weights.reshape(len(weights), -1, 32)
    scales = np.abs(groups).max(axis=-1) / weights.dtype.type(7)
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.nan_to_num(np.round(groups / scales[..., None] + weights.dtype.type(7)), nan=7.0)
    codes = np.clip(codes, 0, 14).astype(np.uint32)
    shifts = np.arange(8, dtype=np.uint32) * 4
    words = (codes.reshape(len(weights), -1, 8) << shifts).sum(axis=-1, dtype=np.uint32)
    return words, scales, codes.reshape(len(weights), -1)


def to_bfloat16(values: Array) -> npt.NDArray[np.uint16]:
    """The upper halves of float32 bits, rounded to nearest even as TVM's converter does."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(values: npt.NDArray[np.uint16]) -> Float32:
    return (values.astype(np.uint32) << 16).view(np.float32)


def write_mlc_folder(source: Path, folder: Path, writer: MlcWriter) -> GgufFile:
    """Write the model of a GGUF file; the same file with the very weights that the folder stands for."""
    file = open_gguf(source)
    config = read_config(file)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(config.num_layers):
        _add_layer(writer, (file, config), index)
    _add_ends(writer, file, config)
    writer.write(folder)
    (folder / "mlc-chat-config.json").write_text(json.dumps(chat_config(file, config, writer.quantization), indent=2))
    tensors = {
        name: GgufTensor(name, "F32", values.shape, np.ascontiguousarray(values).view(np.uint8).reshape(
            1 if values.ndim == 1 else len(values), -1
        ))
        for name, values in writer.weights.items()
    }  # fmt: skip
    for name, values in tensors.items():
        tensors[name] = _reorder(values, config, back=True)
    return GgufFile(source, file.metadata, tensors)


def chat_config(file: GgufFile, config: ModelConfig, quantization: str) -> dict[str, Any]:
    family = file.architecture
    shape = _model_config(file, config)
    return {
        "version": "0.1.0",
        "model_type": family,
        "quantization": quantization,
        "model_config": {"text_config": shape} if family == "gemma3" else shape,
        "vocab_size": config.vocab_size,
        "context_window_size": config.context_length,
        "sliding_window_size": -1,
        "prefill_chunk_size": min(config.context_length, 2048),
        "attention_sink_size": -1,
        "tensor_parallel_shards": 1,
        "tokenizer_files": ["tokenizer.json", "tokenizer_config.json"],
        "eos_token_id": file.metadata.get("tokenizer.ggml.eos_token_id"),
        "conv_template": CONVERSATION,
    }


def _model_config(file: GgufFile, config: ModelConfig) -> dict[str, Any]:
    """The decoder's dimensions; what MLC-LLM has no field for stays in `kwargs` of a nested configuration."""
    family = file.architecture
    found = {name: file.metadata[f"{family}.{key}"] for name, key in {
        "sliding_window": "attention.sliding_window", "attn_logit_softcapping": "attn_logit_softcapping",
        "final_logit_softcapping": "final_logit_softcapping",
    }.items() if f"{family}.{key}" in file.metadata}  # fmt: skip
    if family == "gemma3":
        pattern = file.metadata["gemma3.attention.sliding_window_pattern"]
        found = {"sliding_window_size": found["sliding_window"], "kwargs": {"sliding_window_pattern": pattern}}
    return found | {
        "hidden_size": config.hidden,
        "intermediate_size": config.feed_forward,
        "num_attention_heads": config.num_heads,
        "num_hidden_layers": config.num_layers,
        "num_key_value_heads": config.num_kv_heads,
        "norm_epsilon" if family == "starcoder2" else "rms_norm_eps": config.epsilon,
        "head_dim": config.head_size,
        "rope_theta": file.metadata.get(f"{family}.rope.freq_base", 10000.0),
        "vocab_size": config.vocab_size,
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "partial_rotary_factor": config.rotated / config.head_size,
        "context_window_size": config.context_length,
        "max_position_embeddings": config.context_length,
        "max_batch_size": 128,
        "hidden_act": "silu" if config.traits.activation == "silu" else "gelu_pytorch_tanh",
        "use_bias": bool(config.traits.biases),
        "use_cache": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "query_pre_attn_scalar": config.head_size,
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
    }


def write_tokenizer(source: Path, folder: Path) -> None:
    """A tokenizer.json and tokenizer_config.json of the original model's kind, from a GGUF file."""
    from heron.host.engine.tokenizer import Tokenizer

    file = open_gguf(source)
    Tokenizer.from_gguf(file).save(folder)
    config = {"chat_template": file.metadata.get("tokenizer.chat_template")}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _trunk(family: str) -> tuple[str, str, str]:
    """What a family calls its body, its layers and its embedding."""
    if family == "phi3":
        return "transformer", "h", "embd"
    return ("language_model.model" if family == "gemma3" else "model"), "layers", "embed_tokens"


def _add_layer(writer: MlcWriter, model: tuple[GgufFile, ModelConfig], index: int) -> None:
    file, _ = model
    layer, (trunk, layers, _) = f"blk.{index}", _trunk(file.architecture)
    place = f"{trunk}.{layers}.{index}"
    for kind in ("weight", "bias"):
        parts = [f"{layer}.attn_{role}.{kind}" for role in "qkv"]
        stacked = f"{layer}.attn_qkv.{kind}"
        if stacked in file.tensors:
            _add_stacked(writer, model, f"{place}.{_FUSED[file.architecture]}.{kind}", [stacked])
        elif parts[0] in file.tensors and file.architecture == "gemma3":
            for role, part in zip("qkv", parts, strict=True):
                _add_stacked(writer, model, f"{place}.self_attn.{role}_proj.{kind}", [part])
        elif parts[0] in file.tensors:
            _add_stacked(writer, model, f"{place}.{_FUSED[file.architecture]}.{kind}", parts)
    for source, target in _plain_names(file.architecture).items():
        for kind in ("weight", "bias"):
            if f"{layer}.{source}.{kind}" in file.tensors:
                _add_stacked(writer, model, f"{place}.{target}.{kind}", [f"{layer}.{source}.{kind}"])
    up = "mlp.c_fc" if file.architecture == "starcoder2" else "mlp.gate_up_proj"
    for kind in ("weight", "bias"):
        roles = [f"{layer}.ffn_{role}.{kind}" for role in ("gate", "up")]
        if found := [role for role in roles if role in file.tensors]:
            _add_stacked(writer, model, f"{place}.{up}.{kind}", found)


def _add_stacked(writer: MlcWriter, model: tuple[GgufFile, ModelConfig], target: str, names: list[str]) -> None:
    """Add tensors of the GGUF file one below the other; `target` ends in `.weight` or `.bias`."""
    file, config = model
    joined = np.concatenate([_values(file, config, name) for name in names])
    counts = {name: file.tensors[name].shape[0] for name in names}
    if joined.ndim == 1:
        writer.add_vector(target, joined, counts)
    else:
        writer.add_matrix(target.removesuffix(".weight"), joined, counts)


def _plain_names(family: str) -> dict[str, str]:
    phi, posts = family == "phi3", family in ("gemma2", "gemma3")
    return {
        "attn_norm": "ln" if phi else "input_layernorm",
        "ffn_norm": "pre_feedforward_layernorm" if posts else "post_attention_layernorm",
        "post_attention_norm": "post_attention_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
        "attn_output": "mixer.out_proj" if phi else "self_attn.o_proj",
        "ffn_down": "mlp.c_proj" if family == "starcoder2" else "mlp.down_proj",
        "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm",
    }


def _add_ends(writer: MlcWriter, file: GgufFile, config: ModelConfig) -> None:
    trunk, _, embedding = _trunk(file.architecture)
    ends = {"token_embd.weight": f"{trunk}.{embedding}", "output.weight": "lm_head"}
    for name, target in ends.items():
        if name in file.tensors:
            counts = {name: config.vocab_size}
            writer.add_matrix(target, _values(file, config, name), counts, name.startswith("token"))
    for kind in ("weight", "bias"):
        if f"output_norm.{kind}" in file.tensors:
            _add_stacked(writer, (file, config), f"{trunk}.norm.{kind}", [f"output_norm.{kind}"])


def _values(file: GgufFile, config: ModelConfig, name: str) -> Float32:
    """A tensor's values, rows in the order of the original model."""
    return dequantize(_reorder(file.tensors[name], config, back=False))


def _reorder(tensor: GgufTensor, config: ModelConfig, back: bool) -> GgufTensor:
    """Undo, or redo, what llama.cpp's converter does to the rows of Llama's queries and keys."""
    is_turned = any(f".attn_{role}." in tensor.name for role in "qk")
    if not (config.traits.pairs_neighbours and is_turned):
        return tensor
    rows = np.arange(tensor.shape[0]).reshape(-1, config.head_size)
    half = config.head_size // 2
    order = rows.reshape(-1, 2, half).swapaxes(1, 2) if back else rows.reshape(-1, half, 2).swapaxes(1, 2)
    data = tensor.data.reshape(tensor.shape[0], -1)[order.reshape(-1)].reshape(tensor.data.shape)
    return GgufTensor(tensor.name, tensor.type_name, tensor.shape, data)


def shard_files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("params_shard_*.bin"))
