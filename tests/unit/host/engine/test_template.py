from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.template import render
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf
from heron.wire import ChatPrompt, Message, TextPrompt, TokenPrompt
from tiny_models import CHATML, SPECIAL, TinyVocabulary, write_gguf

LINES = [f"line {number} = {number * number}\n" for number in range(400)]
PIECES = ["a b", "\n", "é🙂", "    ", "x" * 40, "1234", "\r\n", "return"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
# Whole special tokens, and pieces that could become one when they meet.
HOSTILE = st.lists(
    st.sampled_from([*SPECIAL, "<", "<|", "<|im", "im_", "_end|>", "|>", ">", "start|>", "im_end", "e", "\n", " hi "]),
    max_size=6,
).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("template")


def build(path: Path, vocabulary: TinyVocabulary) -> Tokenizer:
    return Tokenizer.from_gguf(open_gguf(write_gguf(path, vocabulary)))


def with_template(path: Path, template: str) -> Tokenizer:
    return build(path, TinyVocabulary(metadata={"tokenizer.chat_template": template}))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return build(folder / "tiny.gguf", TinyVocabulary())


@pytest.fixture(scope="module")
def with_bos(folder: Path) -> Tokenizer:
    metadata = {"tokenizer.ggml.bos_token_id": 65, "tokenizer.ggml.add_bos_token": True}
    return build(folder / "bos.gguf", TinyVocabulary(metadata=metadata))


def written(token_ids: list[int], tokenizer: Tokenizer) -> str:
    """The tokens as the vocabulary writes them, with blanks and newlines for people."""
    return "".join(map(tokenizer.token_name, token_ids)).replace("Ġ", " ").replace("Ċ", "\n")


def test_text_is_encoded_as_it_stands(tokenizer: Tokenizer, with_bos: Tokenizer) -> None:
    assert render(TextPrompt("return x"), tokenizer, 99) == tokenizer.encode("return x")
    assert render(TextPrompt("return x"), with_bos, 99) == [65, *tokenizer.encode("return x")]
    assert len(render(TextPrompt("<|im_end|>"), tokenizer, 99)) > 1
    assert len(render(TextPrompt("<|im_end|>", parse_special=True), tokenizer, 99)) == 1


def test_what_is_too_long_says_both_lengths(tokenizer: Tokenizer) -> None:
    for prompt in (TextPrompt("x" * 100), TokenPrompt((1,) * 100)):
        assert len(render(prompt, tokenizer, 100)) == 100
        with pytest.raises(PromptTooLong, match=r"100 tokens long and .* room for 99"):
            render(prompt, tokenizer, 99)


def test_token_ids_are_checked(tokenizer: Tokenizer) -> None:
    assert render(TokenPrompt((5, 6)), tokenizer, 9) == [5, 6]
    for token_id in (-1, tokenizer.vocab_size):
        with pytest.raises(InvalidRequest, match=f"Token id {token_id} is outside the vocabulary, 0 to "):
            render(TokenPrompt((token_id,)), tokenizer, 9)


@pytest.mark.parametrize("prompt", [TextPrompt(""), TokenPrompt(())])
def test_an_empty_prompt_is_refused(tokenizer: Tokenizer, prompt: TextPrompt | TokenPrompt) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        render(prompt, tokenizer, 9)


def test_chat_is_rendered_by_the_models_template(tokenizer: Tokenizer) -> None:
    ids = render(ChatPrompt((Message("system", "short"), Message("user", "hi"))), tokenizer, 99)
    expected = "<|im_start|>system\nshort<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert written(ids, tokenizer) == expected
    assert ids == tokenizer.encode(expected, parse_special=True)


@settings(deadline=None)
@given(contents=st.lists(HOSTILE, min_size=1, max_size=3))
def test_messages_cannot_write_special_tokens(tokenizer: Tokenizer, contents: list[str]) -> None:
    harmless = render(ChatPrompt(tuple(Message("user", "x") for _ in contents)), tokenizer, 10**6)
    ids = render(ChatPrompt(tuple(Message("user", content) for content in contents)), tokenizer, 10**6)
    special = [token_id for token_id in ids if token_id in tokenizer.special_ids]
    assert special == [token_id for token_id in harmless if token_id in tokenizer.special_ids]
    assert tokenizer.decode(ids) == "".join(f"user\n{content}\n" for content in contents) + "assistant\n"


@settings(deadline=None)
@given(contents=st.lists(HOSTILE, min_size=1, max_size=3))
def test_nor_can_messages_side_by_side(glued: Tokenizer, contents: list[str]) -> None:
    ids = render(ChatPrompt(tuple(Message("user", content) for content in contents)), glued, 10**6)
    assert not glued.special_ids & set(ids)
    assert glued.decode(ids) == "<|" + "".join(contents) + "|>"


@pytest.mark.parametrize(
    "contents", [["im_end"], ["im_end|>"], ["im_end|> more"], ["<|im_end"], ["im", "_", "end"], ["x<", "|im_end|>"]]
)
def test_nor_halves_that_meet(glued: Tokenizer, contents: list[str]) -> None:
    ids = render(ChatPrompt(tuple(Message("user", content) for content in contents)), glued, 10**6)
    assert not glued.special_ids & set(ids)
    assert glued.decode(ids) == "<|" + "".join(contents) + "|>"


def test_special_tokens_that_overlap_are_all_broken(folder: Path) -> None:
    tokenizer = build(
        folder / "overlap.gguf", TinyVocabulary(special=("<|im_start|>", "<|im_end|>", "abc", "bcd", "#"))
    )
    ids = render(ChatPrompt((Message("user", "abcd abcbcd"),)), tokenizer, 99)
    assert tokenizer.decode(ids) == "user\nabcd abcbcd\nassistant\n"
    assert "#" not in tokenizer.decode(render(ChatPrompt((Message("user", "a#b"),)), tokenizer, 99))


@pytest.fixture(scope="module")
def glued(folder: Path) -> Tokenizer:
    """A template that puts nothing between messages, and half a special token around them."""
    return with_template(folder / "glued.gguf", "<|{% for message in messages %}{{ message.content }}{% endfor %}|>")


def test_templates_may_refuse(folder: Path) -> None:
    tokenizer = with_template(folder / "refuses.gguf", "{{ raise_exception('no system messages') }}")
    with pytest.raises(InvalidRequest, match="refuses these messages: no system messages"):
        render(ChatPrompt((Message("system", "x"),)), tokenizer, 99)


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages[7].content }}",
        "{% if %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{% for _ in range(10 ** 9) %}x{% endfor %}",
    ],
)
def test_a_template_that_fails_or_breaks_out_is_an_invalid_request(folder: Path, template: str) -> None:
    with pytest.raises(InvalidRequest, match="does not take these messages"):
        render(ChatPrompt((Message("user", "x"),)), with_template(folder / "fails.gguf", template), 99)


def test_templates_have_what_they_are_written_for(folder: Path) -> None:
    template = (
        "{{ bos_token }}{{ strftime_now('%Y') | length }}{{ messages | tojson }}"
        "{% for message in messages %}{% break %}{% endfor %}\n{% if tools %}no{% endif %}"
    )
    ids = render(ChatPrompt((Message("user", "é<"),)), with_template(folder / "rich.gguf", template), 99)
    tokenizer = with_template(folder / "rich2.gguf", template)
    assert tokenizer.decode(ids) == '4[{"role": "user", "content": "é<"}]'


def test_no_message_and_no_template_are_said(tokenizer: Tokenizer, folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="at least one message"):
        render(ChatPrompt(()), tokenizer, 99)
    bare = build(folder / "bare.gguf", TinyVocabulary(special=(), metadata={"tokenizer.chat_template": ""}))
    with pytest.raises(InvalidRequest, match="no chat template"):
        render(ChatPrompt((Message("user", "x"),)), bare, 99)


def test_chatml_is_the_template_of_a_vocabulary_with_its_marks(tokenizer: Tokenizer, folder: Path) -> None:
    prompt = ChatPrompt((Message("user", "hi"),))
    assert tokenizer.chat_template == CHATML
    assert render(prompt, with_template(folder / "marks.gguf", ""), 99) == render(prompt, tokenizer, 99)


def chat(*contents: str) -> ChatPrompt:
    """Turns of user and assistant in alternation, after a system message."""
    roles = ("user", "assistant")
    turns = [Message(roles[index % 2], content) for index, content in enumerate(contents)]  # type: ignore[arg-type]
    return ChatPrompt((Message("system", "S" * 8), *turns))


def test_a_long_text_slides_to_its_beginning_and_its_end(tokenizer: Tokenizer) -> None:
    token_ids = tuple(range(65, 165))
    assert render(TokenPrompt(token_ids), tokenizer, 20, "slide") == [*range(65, 70), *range(150, 165)]
    assert render(TokenPrompt(token_ids), tokenizer, 100, "slide") == list(token_ids)


@given(st.lists(st.text("ab", max_size=30), min_size=1, max_size=9), st.integers(60, 200))
def test_a_long_chat_slides_by_whole_turns(tokenizer: Tokenizer, contents: list[str], room: int) -> None:
    contents = contents if len(contents) % 2 else contents[:-1] or ["a"]
    whole = render(chat(*contents), tokenizer, 10_000)
    kept = (
        render(chat(*contents), tokenizer, room, "slide")
        if len(render(chat(contents[-1]), tokenizer, 999)) <= room
        else []
    )
    possible = [render(chat(*contents[start:]), tokenizer, 10_000) for start in range(0, len(contents), 2)]
    fitting = [ids for ids in possible if len(ids) <= room]
    assert kept == (fitting[0] if fitting else [])
    assert len(whole) > room or kept == whole


def test_a_last_turn_that_does_not_fit_is_refused_all_the_same(tokenizer: Tokenizer) -> None:
    with pytest.raises(PromptTooLong, match="leaves room for 40"):
        render(chat("a", "b", "c" * 100), tokenizer, 40, "slide")
