"""The model families Heron runs: one entry each, by the name a GGUF file calls its architecture.

Which traits a family has is its authors' (their model cards and reference code); how a file stores them is
llama.cpp's converter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heron.errors import UnsupportedModel
from heron.host.compiler.traits import Activation, Norm


@dataclass(frozen=True, slots=True)
class Family:
    """What a family's models share; the rest is in each file."""

    architecture: str
    models: str
    """those that are of it, for the README"""
    norm: Norm = "rms"
    activation: Activation = "silu"
    is_gated: bool = True
    pairs_neighbours: bool = False
    has_qk_norm: bool = False
    has_post_norms: bool = False
    scales_embedding: bool = False
    """by the square root of its width"""
    has_multipliers: bool = False
    """the file says by how much embedding, scores, residuals and logits are multiplied"""
    window_period: int = 0
    """each so-manyth layer attends to everything, the others to a window; 0: all to everything"""
    local_rope_base: float = 0.0
    """RoPE base of layers with a window; 0: that of the others"""
    rope_period: int = 0
    """each so-manyth layer has no RoPE; 0: all have it"""
    wide_query_layers: int = 0
    """the size, told by its number of layers, whose queries are scaled by the width a head would have"""
    has_int8_cache: bool = False
    """whether perplexity was measured with keys and values in int8"""


_NEVER = 1 << 30
_LLAMA = "Llama 2 and 3.x, CodeLlama, Mistral, Codestral, SmolLM2, DeepSeek-Coder 1, Granite Code, Yi-Coder, Seed-Coder"

FAMILIES: tuple[Family, ...] = (
    Family("llama", _LLAMA, pairs_neighbours=True, has_int8_cache=True),
    Family("qwen2", "Qwen2, Qwen2.5, Qwen2.5-Coder", has_int8_cache=True),
    Family("qwen3", "Qwen3 (dense)", has_qk_norm=True),
    Family("smollm3", "SmolLM3", pairs_neighbours=True, rope_period=4),
    Family("gemma", "Gemma, CodeGemma", activation="gelu", scales_embedding=True),
    Family(
        "gemma2", "Gemma 2", activation="gelu", scales_embedding=True, has_post_norms=True, window_period=2,
        wide_query_layers=46,
    ),
    Family(
        "gemma3", "Gemma 3 (text)", activation="gelu", scales_embedding=True, has_post_norms=True, has_qk_norm=True,
        window_period=6, local_rope_base=10000.0, wide_query_layers=62,
    ),
    Family("granite", "Granite 3.x (dense)", pairs_neighbours=True, has_multipliers=True),
    Family("starcoder2", "StarCoder2", norm="layer", activation="gelu", is_gated=False),
    Family("phi3", "Phi-3 with 4k context, Phi-4", window_period=_NEVER),
)  # fmt: skip

_REASONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "a mixture of experts": ("qwen2moe", "qwen3moe", "granitemoe", "phimoe", "mixtral", "olmoe", "gpt-oss", "dbrx"),
        "multi-head latent attention": ("deepseek2", "minicpm3", "plm"),
        "state-space layers": (
            "mamba",
            "mamba2",
            "jamba",
            "falcon-h1",
            "granitehybrid",
            "nemotron_h",
            "rwkv6",
            "rwkv7",
        ),
        "linear attention": ("qwen3next", "kimi-linear", "qwen35"),
    }
)
"""Why some well-known architectures are not run."""


def find_family(architecture: str) -> Family:
    """The entry of an architecture; UnsupportedModel says why it is none, if known, and lists those there are."""
    for family in FAMILIES:
        if family.architecture == architecture:
            return family
    why = next((f" ({reason})" for reason, names in _REASONS.items() if architecture in names), "")
    known = ", ".join(family.architecture for family in FAMILIES)
    raise UnsupportedModel(
        f"The model is of the architecture {architecture or 'unknown'!r}{why}; Heron runs {known}.",
        hint="Mixtures of experts, latent attention and state-space layers are not supported.",
    )
