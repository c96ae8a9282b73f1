"""What MLC-LLM calls the parts of the families that Heron's own engine runs (its `model/<family>/*_model.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Pair = tuple[str, str]

_POST_NORMS: tuple[Pair, ...] = (
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "post_attention_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
)
_WINDOW: Pair = ("sliding_window", "attention.sliding_window")


@dataclass(frozen=True, slots=True)
class MlcNames:
    """What a family calls its parts; `architecture` is ggml's name of it, and so are the second ones of pairs."""

    architecture: str
    attention: str = "self_attn.qkv_proj"
    """of queries, keys and values as one weight; with `{}` for the letter of each as three"""
    attention_output: str = "self_attn.o_proj"
    norms: tuple[Pair, ...] = (("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"))
    feed_forward: Pair = ("mlp.gate_up_proj", "mlp.down_proj")
    trunk: str = "model"
    embedding: str = "embed_tokens"
    layers: str = "layers"
    interleaves: bool = False
    """whether llama.cpp's converter reorders queries and keys"""
    is_gated: bool = True
    is_tied: bool = False
    epsilon: Pair = ("rms_norm_eps", "attention.layer_norm_rms_epsilon")
    options: tuple[Pair, ...] = ()
    """what its configuration may say beyond the shape"""
    has_windows: bool = False
    """whether layers have windows of their own, which do not limit the context"""


MLC_FAMILIES: Mapping[str, MlcNames] = MappingProxyType(
    {
        "llama": MlcNames("llama", interleaves=True),
        "mistral": MlcNames("llama", interleaves=True),
        "qwen2": MlcNames("qwen2", attention="self_attn.c_attn"),
        "qwen3": MlcNames("qwen3", attention="self_attn.c_attn"),
        "gemma": MlcNames("gemma", is_tied=True),
        "gemma2": MlcNames(
            "gemma2", norms=_POST_NORMS, is_tied=True, has_windows=True,
            options=(_WINDOW, *((key, key) for key in ("attn_logit_softcapping", "final_logit_softcapping"))),
        ),
        "gemma3": MlcNames(
            "gemma3", "self_attn.{}_proj", norms=_POST_NORMS, trunk="language_model.model", is_tied=True,
            has_windows=True,
            options=(
                _WINDOW, ("sliding_window_size", _WINDOW[1]), ("rope_local_base_freq", "rope.freq_base_swa"),
                ("sliding_window_pattern", "attention.sliding_window_pattern"),
            ),
        ),
        "starcoder2": MlcNames(
            "starcoder2", "self_attn.wqkv_pack", feed_forward=("mlp.c_fc", "mlp.c_proj"), is_gated=False,
            epsilon=("norm_epsilon", "attention.layer_norm_epsilon"),
        ),
        "phi3": MlcNames(
            "phi3", "mixer.qkv_proj", "mixer.out_proj", (("ln", "attn_norm"), ("post_attention_layernorm", "ffn_norm")),
            trunk="transformer", embedding="embd", layers="h",
        ),
    }
)  # fmt: skip


def find_names(model_type: str) -> MlcNames | None:
    """The names of a family by what MLC-LLM calls it, None for one that is not run."""
    return MLC_FAMILIES.get(model_type.removesuffix("_text"))
