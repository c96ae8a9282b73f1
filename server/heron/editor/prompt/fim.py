"""Fill-in-the-middle prompts for servers that take only plain text; our own host does this from `suffix`."""

from dataclasses import dataclass

from heron.wire import ModelInfo


@dataclass(frozen=True, slots=True)
class FimTemplate:
    """The marks of a model family, from its authors' model card; `suffix_first` orders suffix, prefix, middle."""

    prefix: str
    suffix: str
    middle: str
    suffix_first: bool = False


FAMILIES: tuple[tuple[tuple[str, ...], FimTemplate], ...] = (
    (("qwen",), FimTemplate("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    (("codegemma",), FimTemplate("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    (("starcoder", "santacoder", "granite", "smollm"), FimTemplate("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    (("deepseek",), FimTemplate("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")),
    (("codellama", "code-llama"), FimTemplate("<PRE> ", " <SUF>", " <MID>")),
    (("codestral", "devstral"), FimTemplate("[PREFIX]", "[SUFFIX]", "", suffix_first=True)),
    (("mellum",), FimTemplate("<fim_prefix>", "<fim_suffix>", "<fim_middle>", suffix_first=True)),
)


def render_fim(model: ModelInfo, prefix: str, suffix: str) -> str:
    """The prompt whose continuation is the middle; for an unknown family the prefix, to be continued."""
    template = find_template(model.id)
    if template is None:
        return prefix
    before, after = template.prefix + prefix, template.suffix + suffix
    return (after + before if template.suffix_first else before + after) + template.middle


def find_template(model_id: str) -> FimTemplate | None:
    """The template of the family that a model's name tells."""
    name = model_id.lower()
    return next((template for marks, template in FAMILIES if any(mark in name for mark in marks)), None)
