"""What an answer that may, must or must not call tools can be, by the vocabulary's own tokens."""

import json

import pytest

from heron.errors import InvalidRequest
from heron.host.engine.grammar import GrammarCompiler
from heron.host.engine.tool_format import JSON, TAGS, ToolFormat, find_tool_format, write_call
from heron.host.engine.tool_grammar import CallRules, tool_grammar, tool_of_error
from heron.wire import Grammar, ToolCall, ToolSpec
from unit.host.engine.merged_tokenizer import END, VOCAB_SIZE, make_merged_tokenizer

TOKENIZER = make_merged_tokenizer()
COMPILER = GrammarCompiler(TOKENIZER, VOCAB_SIZE)


def spec(name: str, **properties: dict[str, object]) -> ToolSpec:
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return ToolSpec(name, "", json.dumps(schema))


TOOLS = (spec("read", path={"type": "string"}), spec("list"), spec("a.b", n={"type": "integer"}))
READ = ToolCall("", "read", '{"path": "x</tool_call>é\\n"}')
LIST = ToolCall("", "list", "{}")
FENCED = '```json\n{\n  "name": "a.b",\n  "arguments": {\n    "n": 3\n  }\n}\n```'
PACKAGE = '```json\n{\n  "name": "my-app",\n  "version": 1\n}\n```'


def conforms(grammar: Grammar | None, text: str) -> bool:
    """Whether a grammar lets a text pass as a whole answer."""
    if grammar is None:
        return True
    matcher = COMPILER.compile(grammar, jump=False)
    for token_id in TOKENIZER.encode(text):
        if matcher.done or not matcher.allowed()[token_id]:
            return False
        matcher.accept(token_id)
    return matcher.done or bool(matcher.allowed()[END])


def write(form: ToolFormat, *calls: ToolCall) -> str:
    return form.between.join(write_call(form, call) for call in calls)


@pytest.mark.parametrize(
    ("use", "text", "passes"),
    [
        ("must", write(TAGS, READ), True),
        ("must", write(TAGS, READ, LIST, READ), True),
        ("must", "text", False),
        ("must", "", False),
        ("must", "text\n" + write(TAGS, READ), False),
        ("must", write(TAGS, READ) + " more", False),
        ("must", write(TAGS, *[LIST] * 9), False),
        ("may", "text < <b> {", True),
        ("may", "", True),
        ("may", "text\n" + write(TAGS, READ, LIST), True),
        ("may", "<tool_call>", False),
        ("may", "<tool_call>\nno", False),
        ("may", write(TAGS, LIST) + "\n", False),
        ("may", write(TAGS, LIST).replace("list", "other"), False),
        ("may", write(TAGS, LIST).replace("{}", '{"x": 1}'), False),
        ("may", FENCED, True),
        ("may", "Look:\n" + FENCED, True),
        ("may", FENCED.replace("3", '"3"'), False),
        ("may", '{"name": "list", "arguments": {}}', True),
        ("may", PACKAGE, True),
        ("never", "text < <b> {", True),
        ("never", write(TAGS, LIST), False),
        ("never", "text <tool_cal", True),
    ],
)
def test_marked_calls(use: str, text: str, passes: bool) -> None:
    grammar = tool_grammar(TAGS, CallRules(use, TOOLS))  # type: ignore[arg-type]
    assert conforms(grammar, text) is passes


@pytest.mark.parametrize(
    ("use", "text", "passes"),
    [
        ("must", write(JSON, READ), True),
        ("must", "text", False),
        ("may", write(JSON, READ), True),
        ("may", "text {", True),
        ("may", "", True),
        ("may", '{"name": "other"', False),
        ("never", write(JSON, READ), True),
    ],
)
def test_bare_calls(use: str, text: str, passes: bool) -> None:
    grammar = tool_grammar(JSON, CallRules(use, TOOLS))  # type: ignore[arg-type]
    assert conforms(grammar, text) is passes


def test_one_call_where_more_are_not_wanted() -> None:
    for use in ("must", "may"):
        grammar = tool_grammar(TAGS, CallRules(use, TOOLS, parallel=False))  # type: ignore[arg-type]
        assert conforms(grammar, write(TAGS, READ))
        assert not conforms(grammar, write(TAGS, READ, READ))


def test_an_answer_by_a_schema_or_a_call() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    rules = CallRules("may", TOOLS, content=schema)
    grammar = tool_grammar(TAGS, rules)
    assert conforms(grammar, '{"x": 1}')
    assert conforms(grammar, write(TAGS, LIST))
    assert not conforms(grammar, "text")
    assert tool_grammar(TAGS, CallRules("never", TOOLS, content=schema)) == Grammar("json_schema", json.dumps(schema))


def test_an_error_points_to_its_tool() -> None:
    bad = (*TOOLS, ToolSpec("bad", "", '{"type": "object", "properties": {"x": {"type": "number?"}}}'))
    for form in (TAGS, JSON):
        grammar = tool_grammar(form, CallRules("may", bad))
        assert grammar is not None
        with pytest.raises(InvalidRequest, match="number") as refused:
            COMPILER.compile(grammar)
        assert tool_of_error(refused.value.message, bad) == bad[-1]


def test_the_format_is_read_from_the_template() -> None:
    qwen = r"""{%- if tools %}<tool_call>\n{\"name\": <n>, \"arguments\": <a>}\n</tool_call>{% endif %}"""
    llama = """{% if tools %}Environment: ipython {"name": n, "parameters": p}{% endif %}"""
    assert find_tool_format(qwen) == "tags"
    assert find_tool_format(llama) == "json"
    assert find_tool_format("{% for tool in tools %}<|tool_call|>{% endfor %}") is None
    assert find_tool_format("{{ messages[0].content }}") is None
