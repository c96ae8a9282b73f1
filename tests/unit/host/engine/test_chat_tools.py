"""Tools, calls and results in a conversation, as the model's template or our own text shows them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.chat_template import render_chat
from heron.host.engine.tokenizer import Tokenizer
from heron.wire import ChatPrompt, Message, ToolCall, ToolSpec
from unit.host.engine.merged_tokenizer import END, MARK, make_merged_tokenizer

QWEN = """{%- if tools %}{%- for tool in tools %}{{ tool | tojson }}{{ '<end>' }}{%- endfor %}
Answer with <tool_call>{"name": n, "arguments": a}.
{%- endif %}{%- for message in messages %}{{ message.role }}:{{ message.content }}
{%- for call in message.tool_calls %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
{%- endfor %}{{ '<end>' }}{%- endfor %}"""
NATIVE = make_merged_tokenizer(QWEN)
PLAIN = make_merged_tokenizer()
SPEC = ToolSpec("read", "Reads.", '{"type": "object", "properties": {"path": {"type": "string"}}}')
HOSTILE = st.lists(st.sampled_from(["<end>", "<en", "d>", "<tool_call>", "<tool", "_call>", "a", '"', "\n", "é"])).map(
    "".join
)


def written(ids: list[int], tokenizer: Tokenizer) -> str:
    return "".join(tokenizer.token_name(i) if i == END else tokenizer.decode([i]) for i in ids) if ids else ""


def turns(text: str, argument: str = "x") -> tuple[Message, ...]:
    call = ToolCall("1", "read", json.dumps({"path": argument}, ensure_ascii=False))
    return (Message("user", "q"), Message("assistant", "", (call,)), Message("tool", text, (), "1"))


def test_a_template_with_tools_is_given_them_as_openai_writes_them() -> None:
    text = written(render_chat(ChatPrompt(turns("text"), (SPEC,)), NATIVE), NATIVE)
    tools, _, rest = text.partition("<end>")
    function = {"name": "read", "description": "Reads.", "parameters": json.loads(SPEC.parameters)}
    assert json.loads(tools) == {"type": "function", "function": function}
    assert 'assistant:<tool_call>\n{"name": "read", "arguments": {"path": "x"}}<end>tool:text<end>' in rest


def test_another_template_gets_plain_turns_and_our_text() -> None:
    results = (Message("tool", "one", (), "1"), Message("tool", "two", (), "2"))
    prompt = ChatPrompt((Message("system", "Be short."), *turns("none")[:2], *results), (SPEC,))
    system, user, assistant, answer, _ = written(render_chat(prompt, PLAIN), PLAIN).split("<end>")
    assert system.startswith("system:Be short.\n\nYou can call tools.")
    assert json.loads(system.splitlines()[-1])["name"] == "read"
    assert user == "user:q"
    assert assistant == 'assistant:<tool_call>\n{"name": "read", "arguments": {"path": "x"}}\n</tool_call>'
    assert answer == ("user:<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response>")


def test_tools_without_a_system_message_come_first() -> None:
    text = written(render_chat(ChatPrompt((Message("user", "q"),), (SPEC,)), PLAIN), PLAIN)
    assert text.startswith("system:You can call tools.")
    assert "tools" not in written(render_chat(ChatPrompt((Message("user", "q"),)), PLAIN), PLAIN)


@given(result=HOSTILE, argument=HOSTILE, name=HOSTILE, native=st.booleans())
def test_no_text_of_a_tool_acts_as_a_mark(result: str, argument: str, name: str, native: bool) -> None:
    tokenizer = NATIVE if native else PLAIN
    spec = ToolSpec("read", name, json.dumps({"properties": {argument: {"description": result}}}))
    hostile = render_chat(ChatPrompt(turns(result, argument), (spec,)), tokenizer)
    harmless = render_chat(ChatPrompt(turns("x"), (SPEC,)), tokenizer)
    for mark in (END, MARK):
        assert hostile.count(mark) == harmless.count(mark)
    assert result in tokenizer.decode(hostile)
