"""Marks of fill-in-the-middle and stop tokens by family; the order is that of each family's model card."""

from typing import Any

import pytest

from heron.host.engine.special_tokens import FimTokens, find_fim_tokens, find_stop_ids


def index(*names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


@pytest.mark.parametrize(
    ("names", "metadata", "expected"),
    [
        (("<fim_prefix>", "<fim_middle>", "<fim_suffix>"), {}, FimTokens(0, 2, 1)),
        (("<fim_prefix>", "<fim_middle>", "<fim_suffix>"), {"pre": "mellum"}, FimTokens(0, 2, 1, suffix_first=True)),
        (("[PREFIX]", "[SUFFIX]"), {}, FimTokens(0, 1, None, suffix_first=True)),
        (("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"), {}, FimTokens(0, 1, 2)),
        (("<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"), {}, FimTokens(1, 0, 2, suffix_first=True)),
        (("<fim_prefix>", "<fim_suffix>"), {}, None),
    ],
)
def test_marks_of_each_family(names: tuple[str, ...], metadata: dict[str, Any], expected: FimTokens | None) -> None:
    keys = {f"tokenizer.ggml.{key}": value for key, value in metadata.items()}
    assert find_fim_tokens(index(*names), keys) == expected


def test_marks_and_ends_of_turns_stop() -> None:
    vocabulary = index("[PREFIX]", "[SUFFIX]", "<end_of_turn>", "text")
    marks = find_fim_tokens(vocabulary, {})
    assert find_stop_ids(vocabulary, {}, marks) == {0, 1, 2}
