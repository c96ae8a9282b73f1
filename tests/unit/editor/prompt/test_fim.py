import pytest

from heron.editor.prompt.fim import FAMILIES, render_fim
from heron.wire import ModelInfo


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Qwen/Qwen2.5-Coder-1.5B", "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>"),
        ("google/codegemma-2b", "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>"),
        ("bigcode/starcoder2-3b", "<fim_prefix>A<fim_suffix>B<fim_middle>"),
        ("deepseek-ai/deepseek-coder-1.3b-base", "<｜fim▁begin｜>A<｜fim▁hole｜>B<｜fim▁end｜>"),
        ("codellama/CodeLlama-7b-hf", "<PRE> A <SUF>B <MID>"),
        ("mistralai/Codestral-22B", "[SUFFIX]B[PREFIX]A"),
        ("meta-llama/Llama-3", "A"),
    ],
)
def test_prompt_by_family(model: str, expected: str) -> None:
    assert render_fim(ModelInfo(model, 4096), "A", "B") == expected


def test_a_name_belongs_to_one_family() -> None:
    marks = [mark for names, _ in FAMILIES for mark in names]
    assert len(marks) == len(set(marks))
