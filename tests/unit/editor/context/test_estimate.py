"""The token estimate against counts taken from Qwen2.5-Coder's tokenizer."""

import pytest

from heron.editor.context.estimate import estimate_tokens


@pytest.mark.parametrize(
    ("text", "num_tokens"),
    [
        ("x = 1\n" * 1000, 5000),
        ("1, " * 1000, 3000),
        ("é" * 1000, 1000),
        ("漢字かな" * 500, 1500),
        ("\U0001f600" * 300, 300),
        ("0x1f" * 500, 2000),
        ("!@#$%" * 300, 901),
    ],
)
def test_odd_texts_are_not_estimated_far_too_low(text: str, num_tokens: int) -> None:
    assert 0.8 * num_tokens <= estimate_tokens(text) <= 1.5 * num_tokens


def test_nothing_is_no_token() -> None:
    assert estimate_tokens("") == 0
