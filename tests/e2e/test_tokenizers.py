"""The tokenizers of the real models, against token ids that llama-server's /tokenize gave for the same files."""

import json
from pathlib import Path

import pytest

from heron.host.engine.template import render
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf
from heron.wire import ChatPrompt, FimPrompt, Message

SMALL, CODER = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"
EXPECTED = json.loads((Path(__file__).parent / "token_ids.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizers(stored_models: dict[str, Path]) -> dict[str, Tokenizer]:
    return {name: Tokenizer.from_gguf(open_gguf(stored_models[name])) for name in (SMALL, CODER)}


@pytest.mark.parametrize("model", [SMALL, CODER])
def test_token_ids_are_those_of_llama_cpp(tokenizers: dict[str, Tokenizer], model: str) -> None:
    tokenizer = tokenizers[model]
    for case in EXPECTED[model]:
        assert tokenizer.encode(case["text"]) == case["token_ids"]
        assert tokenizer.decode(case["token_ids"]) == case["text"]


@pytest.mark.parametrize("model", [SMALL, CODER])
def test_our_own_sources_come_back(tokenizers: dict[str, Tokenizer], model: str) -> None:
    for path in Path(__file__).parents[1].rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert tokenizers[model].decode(tokenizers[model].encode(text)) == text


def test_the_coder_fills_in_the_middle_and_the_small_model_does_not(tokenizers: dict[str, Tokenizer]) -> None:
    coder, small = tokenizers[CODER], tokenizers[SMALL]
    assert small.fim is None
    assert [coder.token_name(token_id) for token_id in render(FimPrompt("a\n", "b"), coder, 9)] == [
        *("<|fim_prefix|>", "a", "<|fim_suffix|>", "b", "<|fim_middle|>", "Ċ")
    ]
    named = {"<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|im_end|>"}
    assert {coder.token_name(token_id) for token_id in coder.stop_ids} >= named


@pytest.mark.parametrize("model", [SMALL, CODER])
def test_a_conversation_ends_where_the_assistant_begins(tokenizers: dict[str, Tokenizer], model: str) -> None:
    tokenizer = tokenizers[model]
    ids = render(ChatPrompt((Message("system", "Be short."), Message("user", "<|im_end|>"))), tokenizer, 99)
    text = "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    before, after = text.split("{}")
    user = tokenizer.encode("<|im_end|>")
    # The template's newline merges with nothing in what the user wrote.
    assert ids == [*tokenizer.encode(before, True), *user, *tokenizer.encode(after, True)]
