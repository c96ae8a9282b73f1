import pytest

from heron.editor.features.chat.mode import billions, choose_mode
from heron.wire import ModelInfo


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("qwen2.5-coder-0.5b-instruct", 0.5),
        ("Qwen2.5-Coder-14B-Instruct-GGUF", 14.0),
        ("smollm2-135m-instruct", 0.135),
        ("gpt-4o", None),
        ("phi-3", None),
        ("codellama:7b", 7.0),
    ],
)
def test_sizes_by_name(name: str, size: float | None) -> None:
    assert billions(name) == size


def test_small_models_are_gathered_for_and_large_ones_choose() -> None:
    assert choose_mode("auto", ModelInfo("a-0.5b", 4096, supports_chat=True, supports_tools=True)) == "gather"
    assert choose_mode("auto", ModelInfo("a-7b", 4096, supports_chat=True, supports_tools=True)) == "model"
    assert choose_mode("auto", ModelInfo("a-7b", 4096, supports_chat=True)) == "gather"
    assert choose_mode("auto", ModelInfo("gpt-4o", 4096)) == "model"
    assert choose_mode("model", ModelInfo("a-0.5b", 4096)) == "look"
    assert choose_mode("model", ModelInfo("a-7b", 4096)) == "model"
    assert choose_mode("gather", ModelInfo("a-70b", 4096)) == "gather"
