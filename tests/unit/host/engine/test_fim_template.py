"""Fill-in-the-middle prompts: the order of their parts, and what is cut where they do not fit."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.fim_template import cut_prefix, cut_suffix
from heron.host.engine.template import render
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf
from heron.wire import FimPrompt
from tiny_models import TinyVocabulary, write_gguf

LINES = [f"line {number} = {number * number}\n" for number in range(400)]
PIECES = ["a b", "\n", "é🙂", "    ", "x" * 40, "1234", "\r\n", "return"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fim")


def build(path: Path, vocabulary: TinyVocabulary) -> Tokenizer:
    return Tokenizer.from_gguf(open_gguf(write_gguf(path, vocabulary)))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return build(folder / "tiny.gguf", TinyVocabulary())


@pytest.fixture(scope="module")
def with_bos(folder: Path) -> Tokenizer:
    metadata = {"tokenizer.ggml.bos_token_id": 65, "tokenizer.ggml.add_bos_token": True}
    return build(folder / "bos.gguf", TinyVocabulary(metadata=metadata))


def written(token_ids: list[int], tokenizer: Tokenizer) -> str:
    """The tokens as the vocabulary writes them, with blanks and newlines for people."""
    return "".join(map(tokenizer.token_name, token_ids)).replace("Ġ", " ").replace("Ċ", "\n").replace("č", "\r")


def fim_parts(token_ids: list[int], tokenizer: Tokenizer) -> tuple[str, str]:
    """Prefix, its last line included, and suffix of a FIM prompt."""
    text = written(token_ids, tokenizer)
    assert text.startswith("<|fim_prefix|>")
    above, _, rest = text.removeprefix("<|fim_prefix|>").partition("<|fim_suffix|>")
    suffix, _, line = rest.partition("<|fim_middle|>")
    return above + line, suffix


def test_fim_is_lines_above_then_suffix_then_the_line_being_typed(tokenizer: Tokenizer, with_bos: Tokenizer) -> None:
    ids = render(FimPrompt("import os\n\ndef f(", "):\n"), tokenizer, 99)
    assert written(ids, tokenizer) == "<|fim_prefix|>import os\n<|fim_suffix|>):\n<|fim_middle|>\ndef f("
    assert render(FimPrompt("import os\n\ndef f(", "):\n"), with_bos, 99) == [65, *ids]


def test_a_windows_line_end_stays_with_the_line_after_it(tokenizer: Tokenizer) -> None:
    ids = render(FimPrompt("a\r\nb", ""), tokenizer, 99)
    assert written(ids, tokenizer) == "<|fim_prefix|>a<|fim_suffix|><|fim_middle|>\r\nb"


def test_the_first_line_is_the_line_being_typed(tokenizer: Tokenizer) -> None:
    ids = render(FimPrompt("def f(", "):\n"), tokenizer, 99)
    assert written(ids, tokenizer) == "<|fim_prefix|><|fim_suffix|>):\n<|fim_middle|>def f("


def test_while_a_line_is_typed_the_prompt_only_grows_at_its_end(tokenizer: Tokenizer) -> None:
    before, after = render(FimPrompt("a\nb", "\nc"), tokenizer, 99), render(FimPrompt("a\nb 1", "\nc"), tokenizer, 99)
    assert after[: len(before)] == before


def test_where_the_suffix_comes_first_the_prefix_stays_whole(folder: Path) -> None:
    names = ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>")
    tokenizer = build(folder / "suffix_first.gguf", TinyVocabulary(special=names))
    expected = "<[fim-suffix]>c<[fim-prefix]>a\nb<[fim-middle]>"
    assert written(render(FimPrompt("a\nb", "c"), tokenizer, 99), tokenizer) == expected


def test_fim_of_an_empty_document(tokenizer: Tokenizer) -> None:
    assert written(render(FimPrompt("", ""), tokenizer, 99), tokenizer) == "<|fim_prefix|><|fim_suffix|><|fim_middle|>"


def test_marks_written_in_a_document_are_text(tokenizer: Tokenizer) -> None:
    ids = render(FimPrompt("<|fim_middle|>", "<|endoftext|>"), tokenizer, 99)
    assert len(tokenizer.special_ids & set(ids)) == 3


def test_a_long_fim_prompt_is_cut_to_whole_lines_around_the_cursor(tokenizer: Tokenizer) -> None:
    before, after = "".join(LINES[:200]) + "half a li", "ne\n" + "".join(LINES[200:])
    ids = render(FimPrompt(before, after), tokenizer, 1200)
    prefix, suffix = fim_parts(ids, tokenizer)
    assert before.endswith(prefix)
    assert after.startswith(suffix)
    assert prefix.startswith("line ")
    assert suffix.endswith("\n")
    assert 1197 * 3 // 4 // 2 <= len(tokenizer.encode(prefix)) <= 1197
    assert 200 <= len(tokenizer.encode(suffix)) <= 1197 // 4


def test_a_short_suffix_leaves_its_room_to_the_prefix(tokenizer: Tokenizer) -> None:
    prefix, suffix = fim_parts(render(FimPrompt("x\n" * 2000, "y\n"), tokenizer, 400), tokenizer)
    assert suffix == "y\n"
    assert len(tokenizer.encode(prefix)) > 300


def test_a_line_longer_than_the_window_is_cut_within(tokenizer: Tokenizer) -> None:
    prefix, suffix = fim_parts(render(FimPrompt("p" * 100_000, "s" * 100_000), tokenizer, 103), tokenizer)
    assert (prefix, suffix) == ("p" * 75, "s" * 25)


def test_typing_seldom_moves_the_start_of_a_cut_prefix(tokenizer: Tokenizer) -> None:
    """Each move costs the prefix cache everything."""
    text = "".join(LINES)
    starts = {
        text.rindex(fim_parts(render(FimPrompt(text[:end], ""), tokenizer, 1200), tokenizer)[0])
        for end in range(5000, 6000, 17)
    }
    assert len(starts) <= 4


@settings(deadline=None)
@given(prefix=TEXTS, suffix=TEXTS, room=st.integers(4, 120))
def test_fim_always_fits_and_keeps_what_is_nearest(tokenizer: Tokenizer, prefix: str, suffix: str, room: int) -> None:
    assert len(render(FimPrompt(prefix, suffix), tokenizer, room)) <= room
    assert prefix.endswith(tokenizer.decode(cut_prefix(prefix, tokenizer, room)))
    assert suffix.startswith(tokenizer.decode(cut_suffix(suffix, tokenizer, room)))
    assert cut_prefix(prefix, tokenizer, 10**6) == tokenizer.encode(prefix)
    assert cut_suffix(suffix, tokenizer, 10**6) == tokenizer.encode(suffix)


def test_no_room_at_all_is_too_long(tokenizer: Tokenizer) -> None:
    with pytest.raises(PromptTooLong, match="takes 4 tokens and the window leaves 3"):
        render(FimPrompt("a", "b"), tokenizer, 3)


def test_a_model_without_fim_tokens_continues_the_prefix(folder: Path) -> None:
    plain = build(folder / "plain.gguf", TinyVocabulary(special=()))
    assert written(render(FimPrompt("def f(", "):\n"), plain, 99), plain) == "def f("
    with pytest.raises(InvalidRequest, match="no fill-in-the-middle tokens"):
        render(FimPrompt("", "):\n"), plain, 99)
