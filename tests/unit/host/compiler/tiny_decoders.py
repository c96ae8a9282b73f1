"""Decoders of two small layers with random weights, as GGUF files: made in a moment, every part of a real one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

_SHARED_HALFS = {"Q4_K": (0, 2), "Q6_K": (208,)}
"""Byte offsets of the half-precision scales in a K-block: random bytes there would be infinite or not numbers."""


@dataclass(frozen=True)
class TinyDecoder:
    """What to make. `formats` are dealt to the linears in turn."""

    family: str = "qwen2"
    num_heads: int = 4
    num_kv_heads: int = 2
    head_size: int = 64
    hidden: int = 256
    feed_forward: int = 512
    vocab_size: int = 100
    num_layers: int = 2
    formats: tuple[str, ...] = ("Q8_0", "Q4_K", "Q6_K", "Q5_0", "Q4_1")
    tied: bool = False
    bias_scale: float = 0.1
    metadata: tuple[tuple[str, Any], ...] = ()


TINIEST = TinyDecoder(
    family="llama", num_heads=2, num_kv_heads=1, hidden=128, feed_forward=128, num_layers=1, formats=("Q8_0",)
)
"""The quickest to compile: its linears have few different shapes."""


def _small(family: str, head_size: int = 64, **changes: Any) -> TinyDecoder:
    """A decoder whose linears have few different shapes, so that it compiles fast."""
    values = {
        "num_heads": 2, "num_kv_heads": 1, "hidden": 128, "feed_forward": 2 * head_size, "formats": ("Q8_0",),
        "tied": True,
    }  # fmt: skip
    return TinyDecoder(family, head_size=head_size, **(values | changes))


FAMILIES = {
    "llama": _small("llama", tied=False),
    "llama-partial": _small("llama", metadata=(("rope.dimension_count", 32),)),
    "llama-80": _small("llama", 80),
    "llama-112": _small("llama", 112),
    "qwen2": _small("qwen2"),
    "qwen3": _small("qwen3", 128),
    "smollm3": _small("smollm3", num_layers=4),
    "gemma": _small("gemma", 256),
    "gemma2": _small("gemma2", 128, vocab_size=112, metadata=(
        ("attn_logit_softcapping", 3.0), ("final_logit_softcapping", 2.0), ("attention.sliding_window", 9),
    )),
    "gemma3": _small("gemma3", 256, num_layers=3, metadata=(
        ("attention.sliding_window", 20), ("attention.sliding_window_pattern", 3),
    )),
    "granite": _small("granite", metadata=(
        ("attention.scale", 0.05), ("embedding_scale", 6.0), ("residual_scale", 0.3), ("logit_scale", 4.0),
    )),
    "starcoder2": _small("starcoder2"),
    "phi3": _small("phi3", 96, metadata=(("attention.sliding_window", 40), ("rope.dimension_count", 72))),
}  # fmt: skip
"""One of each family, and of head sizes and partial rotations that some of their models have."""


def write_decoder(path: Path, decoder: TinyDecoder, seed: int = 0) -> Path:
    """Write the decoder as a GGUF file without a tokenizer."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, decoder.family)
    writer.add_block_count(decoder.num_layers)
    writer.add_embedding_length(decoder.hidden)
    writer.add_feed_forward_length(decoder.feed_forward)
    writer.add_head_count(decoder.num_heads)
    writer.add_head_count_kv(decoder.num_kv_heads)
    writer.add_key_length(decoder.head_size)
    writer.add_value_length(decoder.head_size)
    writer.add_context_length(1024)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_layer_norm_eps(1e-6)
    for key, value in decoder.metadata:
        add = {str: writer.add_string, int: writer.add_uint32, float: writer.add_float32}[type(value)]
        add(f"{decoder.family}.{key}", value)
    for index, (name, shape) in enumerate(_linears(decoder)):
        _add_linear(writer, name, shape, (decoder.formats[index % len(decoder.formats)], random))
    for name, width in _vectors(decoder):
        scale = decoder.bias_scale if name.endswith("bias") else 1.0
        offset = 0.0 if name.endswith("bias") else 1.0
        writer.add_tensor(name, (offset + scale * 0.2 * random.standard_normal(width)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _linears(decoder: TinyDecoder) -> list[tuple[str, tuple[int, int]]]:
    hidden, queries = decoder.hidden, decoder.num_heads * decoder.head_size
    keys = decoder.num_kv_heads * decoder.head_size
    layer = {
        "attn_q": (queries, hidden),
        "attn_k": (keys, hidden),
        "attn_v": (keys, hidden),
        "attn_output": (hidden, queries),
        "ffn_gate": (decoder.feed_forward, hidden),
        "ffn_up": (decoder.feed_forward, hidden),
        "ffn_down": (hidden, decoder.feed_forward),
    }
    if decoder.family == "starcoder2":
        del layer["ffn_gate"]
    if decoder.family == "phi3":
        joined = {"attn_qkv": (queries + 2 * keys, hidden), "ffn_up": (2 * decoder.feed_forward, hidden)}
        layer = joined | {name: layer[name] for name in ("attn_output", "ffn_down")}
    linears = [("token_embd.weight", (decoder.vocab_size, hidden))]
    if not decoder.tied:
        linears.append(("output.weight", (decoder.vocab_size, hidden)))
    for index in range(decoder.num_layers):
        linears += [(f"blk.{index}.{name}.weight", shape) for name, shape in layer.items()]
    return linears


def _vectors(decoder: TinyDecoder) -> list[tuple[str, int]]:
    """Gains and biases by name, with their widths: what the family's files have."""
    hidden, queries = decoder.hidden, decoder.num_heads * decoder.head_size
    keys = decoder.num_kv_heads * decoder.head_size
    widths = {"attn_norm.weight": hidden, "ffn_norm.weight": hidden}
    if decoder.family in ("qwen2", "starcoder2"):
        widths |= {"attn_q.bias": queries, "attn_k.bias": keys, "attn_v.bias": keys}
    if decoder.family in ("qwen3", "gemma3"):
        widths |= {"attn_q_norm.weight": decoder.head_size, "attn_k_norm.weight": decoder.head_size}
    if decoder.family in ("gemma2", "gemma3"):
        widths |= {"post_attention_norm.weight": hidden, "post_ffw_norm.weight": hidden}
    if decoder.family == "starcoder2":
        widths |= {"attn_norm.bias": hidden, "ffn_norm.bias": hidden, "attn_output.bias": hidden}
        widths |= {"ffn_up.bias": decoder.feed_forward, "ffn_down.bias": hidden}
    layers = [(f"blk.{index}.{name}", width) for index in range(decoder.num_layers) for name, width in widths.items()]
    last = [("output_norm.weight", hidden)] + [("output_norm.bias", hidden)] * (decoder.family == "starcoder2")
    return [*last, *layers]


def _add_linear(
    writer: gguf.GGUFWriter, name: str, shape: tuple[int, int], make: tuple[str, np.random.Generator]
) -> None:
    format_name, random = make
    kind = gguf.GGMLQuantizationType[format_name]
    if format_name in _SHARED_HALFS:
        writer.add_tensor(name, _random_blocks(kind, shape, random), raw_dtype=kind)
        return
    weights = random.standard_normal(shape).astype(np.float32) * shape[1] ** -0.5
    writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)


def _random_blocks(
    kind: gguf.GGMLQuantizationType, shape: tuple[int, int], random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Random codes and sub-scales under shared scales that give weights of about the size a linear wants."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    raw = random.integers(0, 256, (shape[0], shape[1] // block, size), np.uint8)
    for offset in _SHARED_HALFS[kind.name]:
        scales = (random.random(raw.shape[:2]) * 2e-5 + 1e-5).astype(np.float16)
        raw[..., offset : offset + 2] = scales[..., None].view(np.uint8)
    return raw.reshape(shape[0], -1)
