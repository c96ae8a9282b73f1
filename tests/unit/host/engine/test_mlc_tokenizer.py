"""The tokenizer and chat template of a folder of MLC-LLM's."""

import json
from pathlib import Path
from typing import Any

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.engine.chat_template import render_chat
from heron.host.engine.mlc_template import read_chat_template, write_template
from heron.host.engine.mlc_tokenizer import read_tokenizer, tokenizer_of
from heron.host.engine.tokenizer import Tokenizer
from heron.host.models.gguf import open_gguf
from heron.host.models.mlc_format import read_mlc_config
from heron.wire import ChatPrompt, Message
from mlc_folders import CONVERSATION
from mlc_models import change_config, make_mlc_folder
from tiny_models import write_gguf

TEXTS = ("def x():\n    return 12", "é😀 <|im_end|>", "<tool_call>", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_mlc_folder(tmp_path / "tiny")


def change_tokenizer(folder: Path, **changes: Any) -> None:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_it_is_the_gguf_files(folder: Path, tmp_path: Path) -> None:
    theirs = Tokenizer.from_gguf(open_gguf(write_gguf(tmp_path / "words.gguf")))
    ours = read_tokenizer(folder)
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text)
        assert ours.encode(text, parse_special=True) == theirs.encode(text, parse_special=True)
        assert ours.decode(ours.encode(text)) == text
    assert (ours.fim, ours.stop_ids, ours.bos_id) == (theirs.fim, theirs.stop_ids, None)
    assert ours.special_ids <= theirs.special_ids  # an unused entry is a word here
    assert ours.chat_template == theirs.chat_template


def test_it_survives_being_saved(folder: Path, tmp_path: Path) -> None:
    read_tokenizer(folder).save(tmp_path / "saved")
    assert Tokenizer.load(tmp_path / "saved").config == read_tokenizer(folder).config


def test_marks_that_are_text_in_the_file_are_special_to_us(folder: Path) -> None:
    values = json.loads((folder / "tokenizer.json").read_text())
    for token in values["added_tokens"]:
        token["special"] = False
    change_tokenizer(folder, added_tokens=values["added_tokens"])
    tokenizer = read_tokenizer(folder)
    assert tokenizer.fim is not None
    assert len(tokenizer.encode("<|im_end|>")) > 1
    assert len(tokenizer.encode("<|im_end|>", parse_special=True)) == 1
    assert "<tool_call>" in tokenizer.mark_texts


def test_texts_are_not_normalised_and_begin_as_the_file_says(folder: Path) -> None:
    begin = read_tokenizer(folder).encode("<|im_start|>", parse_special=True)[0]
    single = [{"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    special = {"<|im_start|>": {"id": "<|im_start|>", "ids": [begin], "tokens": ["<|im_start|>"]}}
    change_tokenizer(
        folder,
        normalizer={"type": "NFC"},
        post_processor={"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special},
    )
    tokenizer = read_tokenizer(folder)
    assert tokenizer.bos_id == begin
    assert tokenizer.decode(tokenizer.encode("e\u0301")) == "e\u0301"
    assert begin not in tokenizer.encode("x")


def test_stop_tokens_of_the_configuration_count(folder: Path) -> None:
    change_config(folder, eos_token_id=[7, 8], conv_template=CONVERSATION | {"stop_token_ids": [9, 10**6]})
    assert {7, 8, 9} <= read_tokenizer(folder).stop_ids


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"model": {"type": "Unigram", "vocab": []}}, UnsupportedModel, "'Unigram'. Supported: byte-level BPE"),
        ({"model": {"type": "BPE", "vocab": 3, "merges": []}}, CorruptModel, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(folder: Path, changes: dict[str, Any], kind: type[Exception], words: str) -> None:
    change_tokenizer(folder, **changes)
    with pytest.raises(kind, match=words):
        read_tokenizer(folder)


def test_the_models_own_template_goes_first_then_the_conversation(folder: Path) -> None:
    config = read_mlc_config(folder)
    (folder / "chat_template.jinja").write_text("plain")
    assert read_chat_template(folder, config) == "plain"
    (folder / "chat_template.jinja").unlink()
    named = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert read_chat_template(folder, config) == "yes"
    (folder / "tokenizer_config.json").unlink()
    assert read_chat_template(folder, config) == write_template(CONVERSATION)
    change_config(folder, conv_template={})
    assert read_chat_template(folder, read_mlc_config(folder)) is None


def test_a_conversation_is_written_as_mlc_writes_it(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    tokenizer = read_tokenizer(folder)
    turns = (Message("user", "re"), Message("assistant", "12"), Message("user", "{{ x }} <|im_end|>"))
    names = [tokenizer.token_name(token_id) for token_id in render_chat(ChatPrompt(turns), tokenizer)]
    assert names.count("<|im_start|>") == 5  # the system message is the conversation's own
    assert names.count("<|im_end|>") == 4
    text = tokenizer.decode(render_chat(ChatPrompt(turns), tokenizer))
    assert text == (
        "system\nYou are a helpful assistant.\nuser\nre\nassistant\n12\nuser\n{{ x }} <|im_end|>\nassistant\n"
    )


def test_a_conversation_whose_first_turn_belongs_to_the_system_message() -> None:
    llama = CONVERSATION | {
        "system_template": "[INST] <<SYS>>{system_message}<</SYS>> ",
        "add_role_after_system_message": False,
        "roles": {"user": "[INST]", "assistant": "[/INST]"},
        "seps": [" ", " </s>"],
        "role_content_sep": " ",
        "role_empty_sep": " ",
    }
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    messages = [{"role": role, "content": text} for role, text in turns]
    render = ImmutableSandboxedEnvironment().from_string(write_template(llama)).render
    told = render(messages=[{"role": "system", "content": "S"}, *messages], add_generation_prompt=True)
    assert told == "[INST] <<SYS>>S<</SYS>> a [/INST] b </s>[INST] c [/INST] "
    bare = ImmutableSandboxedEnvironment().from_string(write_template(llama | {"system_message": ""})).render
    assert bare(messages=messages, add_generation_prompt=True) == "[INST] a [/INST] b </s>[INST] c [/INST] "


def test_an_opened_model_knows_its_tokenizer(folder: Path, tmp_path: Path) -> None:
    file = open_gguf(write_gguf(tmp_path / "words.gguf"))
    assert tokenizer_of(file).encode("return") == read_tokenizer(folder).encode("return")
