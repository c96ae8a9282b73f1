from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.engine.pretokenizers import find_splitting
from heron.host.engine.special_tokens import FimTokens
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf
from tiny_models import SPECIAL, TinyVocabulary, write_gguf

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(
    st.sampled_from([*SPECIAL, "<tool_call>", "return", "    ", "\r\n", "é", "🙂", "12", "<|", "|>"])
).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokenizer")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_gguf(open_gguf(write_gguf(folder / "tiny.gguf")))


def build(folder: Path, **metadata: bool | int | str) -> Tokenizer:
    keys = {f"tokenizer.{key.replace('__', '.')}": value for key, value in metadata.items()}
    return Tokenizer.from_gguf(open_gguf(write_gguf(folder / "other.gguf", TinyVocabulary(metadata=keys))))


@given(TEXTS)
def test_any_text_comes_back_and_no_special_token_is_read_in_it(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
    assert not tokenizer.special_ids & set(ids)


@given(TEXTS)
def test_special_tokens_are_read_where_asked(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, parse_special=True)
    assert "".join(map(tokenizer.token_name, ids)).count("|>") >= sum(text.count(special) for special in SPECIAL)
    without = text
    for special in SPECIAL:
        without = without.replace(special, "")
    assert tokenizer.decode(ids) == without


@given(TEXTS)
def test_offsets_are_where_tokens_begin(tokenizer: Tokenizer, text: str) -> None:
    ids, starts = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    assert starts == sorted(starts)
    for index, start in enumerate(starts):
        if index and start > starts[index - 1]:
            assert tokenizer.decode(ids[:index]) == text[:start]


@given(TEXTS)
def test_a_saved_tokenizer_is_the_same(tokenizer: Tokenizer, saved: Tokenizer, text: str) -> None:
    assert saved.encode(text) == tokenizer.encode(text)
    assert saved.encode(text, parse_special=True) == tokenizer.encode(text, parse_special=True)


@pytest.fixture(scope="module")
def saved(tokenizer: Tokenizer, folder: Path) -> Tokenizer:
    tokenizer.save(folder / "saved")
    loaded = Tokenizer.load(folder / "saved")
    assert loaded.config == tokenizer.config
    return loaded


def test_words_are_merged_up(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("def f(x):\n\n    return x12")
    assert [tokenizer.token_name(token_id) for token_id in ids] == [
        *("def", "Ġ", "f", "(", "x", ")", ":", "ĊĊ", "ĠĠ", "Ġ", "Ġ", "return", "Ġx", "1", "2")
    ]


def test_the_special_tokens_of_the_family_are_known(tokenizer: Tokenizer) -> None:
    ids = {name: tokenizer.encode(name, parse_special=True)[0] for name in SPECIAL}
    assert tokenizer.fim == FimTokens(ids["<|fim_prefix|>"], ids["<|fim_suffix|>"], ids["<|fim_middle|>"])
    assert tokenizer.stop_ids >= set(ids.values())
    assert tokenizer.special_ids == {*ids.values(), tokenizer.vocab_size - 1}
    assert tokenizer.bos_id is None
    assert tokenizer.chat_template is not None


def test_special_and_unknown_tokens_have_no_bytes(tokenizer: Tokenizer) -> None:
    for token_id in (*tokenizer.special_ids, tokenizer.vocab_size, 1 << 31):
        assert tokenizer.token_bytes(token_id) == b""
    assert tokenizer.token_name(1 << 31) == ""


def test_bytes_of_half_a_character_are_raw(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("é")
    assert [tokenizer.token_bytes(token_id) for token_id in ids] == [b"\xc3", b"\xa9"]
    assert tokenizer.decode(ids[:1]) == "�"


def test_lone_surrogates_are_replaced(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a�b"


def test_user_defined_tokens_are_text(tokenizer: Tokenizer) -> None:
    (token_id,) = tokenizer.encode("<tool_call>")
    assert tokenizer.token_bytes(token_id) == b"<tool_call>"


def test_tokens_the_metadata_names_come_first(tmp_path: Path) -> None:
    tokenizer = build(
        tmp_path,
        ggml__fim_pre_token_id=1,
        ggml__fim_suf_token_id=2,
        ggml__fim_mid_token_id=3,
        ggml__eos_token_id=4,
        ggml__bos_token_id=5,
        ggml__add_bos_token=True,
    )
    assert tokenizer.fim == FimTokens(1, 2, 3)
    assert tokenizer.stop_ids >= {1, 2, 3, 4}
    assert tokenizer.bos_id == 5


def test_token_ids_outside_the_vocabulary_are_none(tmp_path: Path) -> None:
    tokenizer = build(tmp_path, ggml__bos_token_id=10**6, ggml__add_bos_token=True, ggml__eos_token_id=10**6)
    assert tokenizer.bos_id is None
    assert 10**6 not in tokenizer.stop_ids


def test_a_vocabulary_without_fim_tokens_has_none(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "plain.gguf", TinyVocabulary(special=("<|endoftext|>",)))
    assert Tokenizer.from_gguf(open_gguf(path)).fim is None


def test_a_vocabulary_without_special_tokens_works(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_gguf(open_gguf(write_gguf(tmp_path / "bare.gguf", TinyVocabulary(special=()))))
    assert tokenizer.decode(tokenizer.encode("a<|im_end|>", parse_special=True)) == "a<|im_end|>"


def test_other_kinds_of_tokenizer_are_named_with_what_is_supported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"'bert'\. Supported: 'gpt2' .*'llama'"):
        build(tmp_path, ggml__model="bert")
    with pytest.raises(UnsupportedModel, match=r"'viking' is not supported. Supported: .*qwen2.*smollm"):
        build(tmp_path, ggml__pre="viking")


def test_merges_that_do_not_fit_are_corrupt(tmp_path: Path) -> None:
    class Broken(TinyVocabulary):
        def merges(self) -> list[str]:
            return ["nothing like-this"]

    with pytest.raises(CorruptModel, match="does not fit its merges"):
        Tokenizer.from_gguf(open_gguf(write_gguf(tmp_path / "broken.gguf", Broken())))


def test_a_folder_that_is_not_whole_is_corrupt(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="cannot be read"):
        Tokenizer.load(tmp_path)
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(CorruptModel, match="cannot be read"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("qwen2", ["x", " =", " ", "1", "2", "3", "4", "  ", " #", " I", "'LL", "\n\n", "   ", " y"]),
        ("llama-bpe", ["x", " =", " ", "123", "4", "  ", " #", " I", "'LL", "\n\n", "   ", " y"]),
        ("smollm", ["x", " =", " ", "1", "2", "3", "4", "  ", " #", " I", "'", "LL", "\n\n   ", " y"]),
        ("gpt-2", ["x", " =", " 1234", "  ", " #", " I", "'", "LL", "\n\n   ", " y"]),
    ],
)
def test_each_family_splits_its_own_way(name: str, pieces: list[str]) -> None:
    """As llama.cpp does; whole files of real vocabularies were compared with its /tokenize."""
    from tokenizers import Regex, pre_tokenizers

    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in find_splitting(name).patterns]
    found = pre_tokenizers.Sequence(splits).pre_tokenize_str("x = 1234   # I'LL\n\n    y")
    assert [piece for piece, _ in found] == pieces
