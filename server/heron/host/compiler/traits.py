"""What sets one decoder apart from another: the choices in which model families differ. Plain data."""

from dataclasses import dataclass, replace
from typing import Literal

Norm = Literal["rms", "layer"]
"""RMSNorm with a gain, or LayerNorm with a gain and a bias"""
Activation = Literal["silu", "gelu"]
"""GELU is the one approximated by tanh, as all these models were trained with"""
Rotation = Literal["global", "local", "none"]
"""which RoPE a layer has: the model's own, that of layers with a window, or none"""
Linear = Literal["qkv", "attention_output", "gate_up", "down"]


@dataclass(frozen=True, slots=True)
class Traits:
    """The choices of one model. The defaults are Qwen2's and, but for `pairs_neighbours`, Llama's."""

    rotations: tuple[Rotation, ...]
    """by layer"""
    windows: tuple[int, ...]
    """by layer: how many tokens, itself included, one attends to; 0 is all"""
    norm: Norm = "rms"
    activation: Activation = "silu"
    is_gated: bool = True
    """whether the feed-forward multiplies with a gate"""
    pairs_neighbours: bool = False
    """RoPE turns dimensions 2i and 2i + 1 of the file together instead of i and i + half"""
    biases: tuple[Linear, ...] = ()
    has_qk_norm: bool = False
    """queries and keys are RMS-normalised head by head before RoPE"""
    has_post_norms: bool = False
    """what attention and feed-forward give is RMS-normalised before it is added"""
    embedding_scale: float = 1.0
    query_scale: float = 0.0
    """0 is 1 / sqrt(head size)"""
    residual_scale: float = 1.0
    """what attention and feed-forward give is multiplied by it before it is added"""
    logit_scale: float = 1.0
    attention_softcap: float = 0.0
    """scores s become cap * tanh(s / cap); 0 leaves them"""
    logit_softcap: float = 0.0

    @property
    def tables(self) -> tuple[Rotation, ...]:
        """The rotations there are, each once; `rope_frequencies` has a row for each."""
        return tuple(dict.fromkeys(self.rotations))

    @property
    def is_plain(self) -> bool:
        """Whether it is Llama or Qwen2 in all but its numbers: what the CUDA kernels run."""
        plain = Traits(self.rotations, self.windows, pairs_neighbours=self.pairs_neighbours)
        only_qkv = set(self.biases) <= {"qkv"}
        return replace(self, biases=()) == plain and only_qkv and len(self.tables) == 1 and not any(self.windows)
