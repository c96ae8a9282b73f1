"""Which tokens of a vocabulary mean something: where to stop, and how to fill in the middle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIM_NAMES = (  # prefix, suffix, middle, and whether the suffix comes first
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", False),  # Qwen, CodeGemma, Granite 4
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", False),  # StarCoder, Granite Code and 3
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>", False),  # SantaCoder
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", False),  # DeepSeek-Coder
    ("▁<PRE>", "▁<SUF>", "▁<MID>", False),  # CodeLlama
    ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", True),  # Seed-Coder
    ("[PREFIX]", "[SUFFIX]", None, True),  # Codestral
    ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>", False),  # GLM
    ("<|prefix|>", "<|suffix|>", "<|middle|>", False),  # Falcon coder
)
_SUFFIX_FIRST = ("mellum",)
"""pretokenizers of models that want the suffix first under names that others use too"""
_FIM_KEYS = (
    ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.fim_mid_token_id"),
    ("tokenizer.ggml.prefix_token_id", "tokenizer.ggml.suffix_token_id", "tokenizer.ggml.middle_token_id"),
)
_STOP_KEYS = ("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep")
_STOP_NAMES = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|im_start|>",
    "<|fim_pad|>",
    "<fim_pad>",
    "<|file_sep|>",
    "<file_sep>",
    "<|repo_name|>",
    "<repo_name>",
    "<reponame>",
    "<filename>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<|EOT|>",
    "<EOT>",
    "<｜end▁of▁sentence｜>",
    "<eos>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<|file_separator|>",
    "▁<EOT>",
)


@dataclass(frozen=True, slots=True)
class FimTokens:
    """Token ids that mark the parts of a fill-in-the-middle prompt, and in which order the parts come."""

    prefix: int
    suffix: int
    middle: int | None
    """None where the middle follows the prefix without a mark"""
    suffix_first: bool = False

    @property
    def ids(self) -> tuple[int, ...]:
        """The marks there are."""
        return tuple(mark for mark in (self.prefix, self.suffix, self.middle) if mark is not None)


def read_token_id(metadata: Mapping[str, Any], key: str, vocab_size: int) -> int | None:
    """The token a metadata key names; None if it names none, or one outside the vocabulary."""
    value = metadata.get(key)
    return value if type(value) is int and 0 <= value < vocab_size else None


def find_fim_tokens(vocabulary: Mapping[str, int], metadata: Mapping[str, Any]) -> FimTokens | None:
    """FIM tokens the metadata names, else those of a known family; None for a model that has none."""
    suffix_first = metadata.get("tokenizer.ggml.pre") in _SUFFIX_FIRST
    for keys in _FIM_KEYS:
        ids = [found for key in keys if (found := read_token_id(metadata, key, len(vocabulary))) is not None]
        if len(ids) == len(keys):
            prefix, suffix, middle = ids
            return FimTokens(prefix, suffix, middle, suffix_first)
    for before, after, between, is_first in _FIM_NAMES:
        if all(name is None or name in vocabulary for name in (before, after, between)):
            mark = None if between is None else vocabulary[between]
            return FimTokens(vocabulary[before], vocabulary[after], mark, is_first or suffix_first)
    return None


def find_stop_ids(vocabulary: Mapping[str, int], metadata: Mapping[str, Any], fim: FimTokens | None) -> frozenset[int]:
    """Tokens after which nothing more is the answer: ends of turn and text, separators, FIM marks."""
    named = {read_token_id(metadata, f"tokenizer.ggml.{key}_token_id", len(vocabulary)) for key in _STOP_KEYS}
    known = {vocabulary[name] for name in _STOP_NAMES if name in vocabulary}
    marks = set(fim.ids) if fim else set()
    return frozenset(found for found in named | known | marks if found is not None)
