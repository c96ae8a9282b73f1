from heron.editor.client.chat_ask import ChatAsk, chat_body
from heron.wire import Message, ToolCall, ToolSpec

USER = Message("user", "hi")
SPEC = ToolSpec("grep", "Search.", '{"type": "object"}')


def test_a_plain_question_has_no_fields_that_it_does_not_need() -> None:
    body = chat_body("m", ChatAsk((USER,)))
    assert body["messages"] == [{"role": "user", "content": "hi"}]
    assert body.keys() == {"model", "messages", "max_tokens", "temperature", "stream", "stream_options"}


def test_tools_their_choice_and_a_schema() -> None:
    body = chat_body("m", ChatAsk((USER,), (SPEC,), "grep", '{"type": "string"}', stop=("x",)))
    function = {"name": "grep", "description": "Search.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "grep"}}
    assert body["response_format"]["json_schema"]["schema"] == {"type": "string"}
    assert body["stop"] == ["x"]
    assert chat_body("m", ChatAsk((USER,), (SPEC,), "required"))["tool_choice"] == "required"


def test_calls_and_their_results_in_the_history() -> None:
    calling = Message("assistant", "", (ToolCall("a", "grep", "{}"),))
    called, result = chat_body("m", ChatAsk((calling, Message("tool", "found", tool_call_id="a"))))["messages"]
    assert called["tool_calls"] == [{"id": "a", "type": "function", "function": {"name": "grep", "arguments": "{}"}}]
    assert result == {"role": "tool", "content": "found", "tool_call_id": "a"}
