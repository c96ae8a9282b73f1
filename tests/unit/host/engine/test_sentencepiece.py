"""A SentencePiece vocabulary from a GGUF. Real ones are compared with llama.cpp's /tokenize: Gemma 3's gave its ids."""

from pathlib import Path

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import CorruptModel
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf

CONTROL, USER_DEFINED, BYTE, NORMAL, UNKNOWN = 3, 4, 6, 1, 2
PIECES = ["▁", "a", "b", "c", "d", "ab", "abc", "▁ab", "cd", "é"]
"""the earlier, the higher the score: `ab` is joined before `cd`"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")) | st.lists(
    st.sampled_from(["abc", " ab", "<bos>", "    ", "\n", "🙂", "é", "<0x41>", "cd"])
).map("".join)


def tokens() -> list[tuple[str, int, float]]:
    """Texts, types and scores."""
    special = [("<pad>", CONTROL, 0.0), ("<bos>", CONTROL, 0.0), ("<eos>", CONTROL, 0.0), ("<unk>", UNKNOWN, 0.0)]
    letters = [(f"<0x{byte:02X}>", BYTE, 0.0) for byte in range(256)]
    pieces = [(piece, NORMAL, -float(rank)) for rank, piece in enumerate(PIECES)]
    return [*special, ("\n", USER_DEFINED, 0.0), ("    ", USER_DEFINED, 0.0), *letters, *pieces]


def write_vocabulary(path: Path, num_scores: int | None = None) -> Path:
    writer = gguf.GGUFWriter(path, "gemma3")
    texts, kinds, scores = zip(*tokens(), strict=True)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_types(kinds)
    writer.add_token_scores(scores[:num_scores])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("sentencepiece")
    Tokenizer.from_gguf(open_gguf(write_vocabulary(folder / "tiny.gguf"))).save(folder)
    return Tokenizer.load(folder)


def names(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.token_name(token_id) for token_id in tokenizer.encode(text)]


@given(TEXTS)
def test_any_text_comes_back_and_no_special_token_is_read_in_it(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not tokenizer.special_ids & set(ids)


@given(TEXTS)
def test_offsets_are_where_tokens_begin(tokenizer: Tokenizer, text: str) -> None:
    ids, starts = tokenizer.encode_with_offsets(text)
    assert starts == sorted(starts)
    for index, start in enumerate(starts):
        if index and start > starts[index - 1]:
            assert tokenizer.decode(ids[:index]) == text[:start]


def test_the_pair_of_the_highest_score_is_joined_first(tokenizer: Tokenizer) -> None:
    assert names(tokenizer, "abcd") == ["abc", "d"]
    assert names(tokenizer, "dcd") == ["d", "cd"]
    assert names(tokenizer, "x ab") == ["<0x78>", "▁ab"]


def test_no_blank_is_put_before_a_text(tokenizer: Tokenizer) -> None:
    assert names(tokenizer, "ab") == ["ab"]


def test_what_has_no_piece_is_bytes(tokenizer: Tokenizer) -> None:
    assert names(tokenizer, "🙂") == ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"]
    assert tokenizer.token_bytes(tokenizer.encode("🙂")[1]) == b"\x9f"


def test_user_defined_tokens_are_taken_whole(tokenizer: Tokenizer) -> None:
    assert names(tokenizer, "a\n      b") == ["a", "\n", "    ", "▁", "▁", "b"]


def test_prompts_begin_with_bos_unless_the_file_says_otherwise(tokenizer: Tokenizer) -> None:
    assert tokenizer.bos_id == 1
    assert tokenizer.config.kind == "sentencepiece"
    assert 2 in tokenizer.stop_ids


def test_missing_scores_are_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="scores"):
        Tokenizer.from_gguf(open_gguf(write_vocabulary(tmp_path / "bad.gguf", num_scores=3)))
