"""How each family splits text before byte-pair merging: `tokenizer.ggml.pre` of a GGUF names one of these.

The patterns are the models' own (their published tokenizer.json); the names and which merge rule goes with each are
llama.cpp's, because it writes the GGUF files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heron.errors import UnsupportedModel

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}"
    r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Splitting:
    """Patterns applied one after the other, each isolating its matches; gaps between matches stay pieces."""

    patterns: tuple[str, ...]
    ignore_merges: bool = False
    """take a whole piece that is in the vocabulary without merging it up"""
    adds_bos: bool = False
    """begin every prompt with the beginning-of-text token, unless the GGUF says otherwise"""


_GPT2_DIGITS = Splitting((r"\p{N}", _GPT2))
_QWEN2 = Splitting((_WORDS.format(digits=r"\p{N}"),))
_LLAMA3 = Splitting((_WORDS.format(digits=r"\p{N}{1,3}"),), ignore_merges=True, adds_bos=True)

SPLITTINGS: Mapping[str, Splitting] = MappingProxyType(
    {
        "qwen2": _QWEN2,
        "deepseek-r1-qwen": _QWEN2,
        "stablelm2": _QWEN2,
        "smollm": _GPT2_DIGITS,
        "starcoder": _GPT2_DIGITS,
        "refact": _GPT2_DIGITS,
        "codeshell": _GPT2_DIGITS,
        "llama-bpe": _LLAMA3,
        "llama3": _LLAMA3,
        "llama-v3": _LLAMA3,
        "gpt-2": Splitting((_GPT2,)),
        "mellum": Splitting((_GPT2,)),
        "deepseek-coder": Splitting((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}")),
        "default": Splitting((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]")),
    }
)


def find_splitting(name: str) -> Splitting:
    """The splitting a GGUF names; UnsupportedModel lists the known ones."""
    if name not in SPLITTINGS:
        known = ", ".join(sorted(SPLITTINGS))
        raise UnsupportedModel(f"The model's text splitting {name!r} is not supported. Supported: {known}.")
    return SPLITTINGS[name]
