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


_CASED = (
    r"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{ends}"
    r"|[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{ends}"
    r"|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_HAN = "[一-龥ࠀ-一가-퟿]+"
_DEEPSEEK_V3 = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SEED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2_DIGITS = Splitting((r"\p{N}", _GPT2))
_QWEN2 = Splitting((_WORDS.format(digits=r"\p{N}"),))
_WORDS_3 = Splitting((_WORDS.format(digits=r"\p{N}{1,3}"),))
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
        "dbrx": _WORDS_3,
        "smaug-bpe": _WORDS_3,
        "command-r": _GPT2_DIGITS,
        "gpt-2": Splitting((_GPT2,)),
        "phi-2": Splitting((_GPT2,)),
        "olmo": Splitting((_GPT2,)),
        "mellum": Splitting((_GPT2,)),
        "seed-coder": Splitting((_SEED,)),
        "tekken": Splitting((_CASED.format(ends="", digits=r"\p{N}"),), ignore_merges=True, adds_bos=True),
        "gpt-4o": Splitting((_CASED.format(ends="(?i:'s|'t|'re|'ve|'m|'ll|'d)?", digits=r"\p{N}{1,3}"),)),
        "deepseek-v3": Splitting((r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", _DEEPSEEK_V3)),
        # The model's own lists the cased letters one by one.
        "deepseek-llm": Splitting(
            (r"[\r\n]", r"\s?[\p{Lu}\p{Ll}\p{Lt}]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", _HAN, r"\p{N}+")
        ),
        "deepseek-coder": Splitting((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _HAN, r"\p{N}")),
        "default": Splitting((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]")),
    }
)


def find_splitting(name: str) -> Splitting:
    """The splitting a GGUF names; UnsupportedModel lists the known ones."""
    if name not in SPLITTINGS:
        known = ", ".join(sorted(SPLITTINGS))
        raise UnsupportedModel(f"The model's text splitting {name!r} is not supported. Supported: {known}.")
    return SPLITTINGS[name]
