"""Every wrong request gets OpenAI's error body with a sentence that names what is wrong, and the host goes on."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import (
    CompileFailed,
    CorruptModel,
    HeronError,
    ModelUnavailable,
    OutOfMemory,
    Overloaded,
    PromptTooLong,
)
from heron.host.api.app import create_app
from heron.host.api.auth import LOOPBACK_NAMES, Auth
from heron.host.api.guard import MAX_BODY_BYTES
from heron.host.api.service import make_service
from heron.host.engine.scripted import ScriptedEngine
from heron.host.workers import InProcessWorker
from heron.settings import Settings
from heron.wire import GenerateRequest, ModelInfo
from protocol.http_host import CHAT, fleet_of, in_memory

COMPLETIONS = "/v1/completions"
CHATS = "/v1/chat/completions"
JSON = {"Content-Type": "application/json"}
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
FIELDS = ("prompt", "suffix", "messages", "max_tokens", "temperature", "stop", "logit_bias", "logprobs", "stream", "n")
JSON_TEXT = st.dictionaries(st.sampled_from(FIELDS), VALUES).map(
    lambda fields: json.dumps({"prompt": "x", "messages": CHAT} | fields).encode()
)


def tool(name: str, parameters: object = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def assistant_call(arguments: str) -> dict[str, Any]:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "tool_calls": [call]}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with in_memory(ScriptedEngine("ok")) as client:
        yield client
        assert (await client.post(COMPLETIONS, json={"prompt": "x"})).status_code == 200, "the host must go on"


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    assert error["message"].endswith((".", "?"))
    return error


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("prompt", None, "string"),
        ("prompt", 5, "string"),
        ("prompt", [], "string"),
        ("prompt", ["a", "b"], "list of one string"),
        ("prompt", [1, -2], "token ids"),
        ("prompt", [1, True], "token ids"),
        ("prompt", [1, "a"], "token ids"),
        ("prompt", "a\ud800b", "surrogates"),
        ("suffix", 5, "string"),
        ("suffix", "\udfff", "surrogates"),
        ("max_tokens", 0, "at least 1"),
        ("max_tokens", -5, "at least 1"),
        ("max_tokens", "many", "integer"),
        ("max_tokens", 1.5, "integer"),
        ("max_tokens", True, "integer"),
        ("temperature", "hot", "number"),
        ("temperature", -0.1, "0 to 2"),
        ("temperature", 2.1, "0 to 2"),
        ("temperature", float("nan"), "0 to 2"),
        ("temperature", float("inf"), "0 to 2"),
        ("top_p", 0, "above 0"),
        ("top_p", 1.01, "at most 1"),
        ("top_k", -1, "at least 0"),
        ("seed", 2**64, "64-bit"),
        ("seed", "x", "integer"),
        ("stop", 5, "string"),
        ("stop", ["a", 5], "strings"),
        ("stop", [""], "empty"),
        ("stop", ["x"] * 100, "at most"),
        ("logit_bias", [1], "object"),
        ("logit_bias", {"x": 1}, "token ids"),
        ("logit_bias", {"5": "x"}, "token ids"),
        ("logit_bias", {"5": 101}, "-100 to 100"),
        ("logit_bias", {"99999999": 1}, "token id"),
        ("logprobs", 21, "0 to 20"),
        ("logprobs", -1, "0 to 20"),
        ("logprobs", True, "integer"),
        ("n", 2, "1"),
        ("best_of", 3, "1"),
        ("echo", True, "False"),
        ("presence_penalty", 0.5, "0"),
        ("frequency_penalty", -0.5, "0"),
        ("stream", "yes", "boolean"),
        ("stream_options", 5, "dictionary"),
        ("model", 5, "string"),
    ],
)
async def test_bad_completion_field(client: httpx.AsyncClient, field: str, value: object, allowed: str) -> None:
    content = json.dumps({"prompt": "x"} | {field: value})
    error = error_of(await client.post(COMPLETIONS, content=content, headers=JSON), 400)
    assert error["type"] == "invalid_request_error"
    assert error["param"] == field
    assert error["message"].startswith(field)
    assert allowed in error["message"]


@pytest.mark.parametrize(
    ("field", "value", "param", "allowed"),
    [
        ("messages", [], "messages", "at least 1"),
        ("messages", "hello", "messages", "list"),
        ("messages", [5], "messages[0]", "dictionary"),
        ("messages", [*CHAT, {"content": "x"}], "messages[1].role", "missing"),
        ("messages", [{"role": "robot", "content": "x"}], "messages[0].role", "'user'"),
        ("messages", [{"role": "user", "content": 5}], "messages[0].content", "string"),
        ("messages", [{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content", "'text'"),
        ("messages", [{"role": "user", "content": "\ud800"}], "messages[0].content", "surrogates"),
        (
            "messages",
            [{"role": "assistant", "tool_calls": [{"id": "1"}]}],
            "messages[0].tool_calls[0].function",
            "miss",
        ),
        ("messages", [assistant_call("[1]")], "messages[0].tool_calls[0].function.arguments", "JSON object"),
        ("messages", [assistant_call("{")], "messages[0].tool_calls[0].function.arguments", "JSON object"),
        ("tools", [{"type": "function"}], "tools[0].function", "missing"),
        ("tools", [tool("a b")], "tools[0].function.name", "letters"),
        ("tools", [tool("f", 5)], "tools[0].function.parameters", "JSON schema"),
        ("tools", [tool("f", {"type": "string"})], "tools", "f: the type of parameters must be 'object'"),
        ("tools", [tool("f"), tool("f")], "tools", "'f' is given twice"),
        ("tools", [tool(f"f{number}") for number in range(129)], "tools", "at most 128"),
        ("tool_choice", "required", "tool_choice", "needs tools"),
        ("tool_choice", "sometimes", "tool_choice", "'required'"),
        ("tool_choice", {"type": "function"}, "tool_choice", "'required'"),
        ("response_format", {"type": "yaml"}, "response_format.type", "'json_schema'"),
        ("response_format", {"type": "json_schema"}, "response_format", "schema is missing"),
        ("grammar", {"kind": "gbnf"}, "grammar.kind", "'lark'"),
        ("top_logprobs", 3, "top_logprobs", "logprobs"),
        ("max_completion_tokens", 0, "max_tokens", "at least 1"),
        ("logprobs", 1, "logprobs", "boolean"),
    ],
)
async def test_bad_chat_field(client: httpx.AsyncClient, field: str, value: object, param: str, allowed: str) -> None:
    content = json.dumps({"messages": CHAT} | {field: value})
    error = error_of(await client.post(CHATS, content=content, headers=JSON), 400)
    assert error["param"] == param
    assert allowed in error["message"]


async def test_wishes_that_exclude_each_other(client: httpx.AsyncClient) -> None:
    grammar = {"kind": "regex", "text": "a"}
    for field, value in (("tools", [tool("f")]), ("response_format", {"type": "json_object"})):
        body = {"messages": CHAT, "grammar": grammar, field: value}
        error = error_of(await client.post(CHATS, json=body), 400)
        assert error["param"] == "grammar"


async def test_a_tool_choice_that_names_no_tool(client: httpx.AsyncClient) -> None:
    choice = {"type": "function", "function": {"name": "g"}}
    error = error_of(
        await client.post(CHATS, json={"messages": CHAT, "tools": [tool("f")], "tool_choice": choice}), 400
    )
    assert error["param"] == "tool_choice"
    assert "'g'; there are f" in error["message"]


@pytest.mark.parametrize("path", [COMPLETIONS, CHATS])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"5", b"null", b'"x"', b"\xff\xfe", b'{"prompt":' + b"[" * 100_000, b"1" * 5000, b"\x00"],
)
async def test_body_that_is_no_json_object(client: httpx.AsyncClient, path: str, content: bytes) -> None:
    error = error_of(await client.post(path, content=content, headers=JSON), 400)
    assert "JSON" in error["message"]


async def test_body_without_its_content_type(client: httpx.AsyncClient) -> None:
    error = error_of(await client.post(COMPLETIONS, content=b'{"prompt": "x"}'), 400)
    assert "Content-Type: application/json" in error["message"]


async def test_missing_field(client: httpx.AsyncClient) -> None:
    assert error_of(await client.post(COMPLETIONS, json={}), 400)["message"] == "prompt is missing."


async def test_bad_priority(client: httpx.AsyncClient) -> None:
    response = await client.post(COMPLETIONS, json={"prompt": "x"}, headers={"X-Heron-Priority": "first"})
    error = error_of(response, 400)
    assert error["param"] == "X-Heron-Priority"
    assert "completion, chat, background" in error["message"]


async def test_suffix_with_token_ids(client: httpx.AsyncClient) -> None:
    assert error_of(await client.post(COMPLETIONS, json={"prompt": [1], "suffix": "x"}), 400)["param"] == "suffix"


@pytest.mark.parametrize("path", [COMPLETIONS, CHATS])
async def test_unknown_model(client: httpx.AsyncClient, path: str) -> None:
    content = json.dumps({"model": "gpt-\ud800", "prompt": "x", "messages": CHAT})
    response = await client.post(path, content=content, headers=JSON)
    error = error_of(response, 404)
    assert error["code"] == "model_not_found"
    assert "'scripted'" in error["message"]


async def test_unknown_model_page(client: httpx.AsyncClient) -> None:
    assert error_of(await client.get("/v1/models/org/name"), 404)["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/models/../../etc", 404, "not_found"),
        ("GET", COMPLETIONS, 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
    ],
)
async def test_unknown_route(client: httpx.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    response = await client.request(method, path)
    error = error_of(response, status)
    assert error["code"] == code
    assert method in error["message"]


async def test_body_too_large(client: httpx.AsyncClient) -> None:
    content = b'{"prompt": "' + b"x" * MAX_BODY_BYTES + b'"}'
    assert error_of(await client.post(COMPLETIONS, content=content, headers=JSON), 413)["code"] == "body_too_large"


async def test_body_too_large_in_pieces(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 1024 * 1024

    error_of(await client.post(COMPLETIONS, content=pieces(), headers=JSON), 413)


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        (PromptTooLong("The prompt has 9 tokens, the window 4."), 400, "invalid_request_error"),
        (Overloaded("The queue is full.", retry_after_s=2.5), 429, "rate_limit_error"),
        (OutOfMemory("No pages are left."), 503, "server_error"),
        (CorruptModel("The file is not what it was."), 503, "server_error"),
        (CompileFailed("No."), 500, "server_error"),
        (HeronError("Something broke."), 500, "server_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_engine_error_before_the_first_delta(failure: HeronError, status: int, kind: str, stream: bool) -> None:
    async with in_memory(ScriptedEngine({"x": failure})) as client:
        response = await client.post(COMPLETIONS, json={"prompt": "x", "stream": stream})
    error = error_of(response, status)
    assert (error["message"], error["type"], error["code"]) == (str(failure), kind, failure.code)
    assert response.headers.get("retry-after") == {429: "3", 503: "1"}.get(status)


@pytest.mark.parametrize("stream", [False, True])
async def test_unexpected_error_does_not_show_its_cause(stream: bool) -> None:
    def fail(request: GenerateRequest) -> str:
        raise ZeroDivisionError("secret")

    async with in_memory(ScriptedEngine(fail)) as client:
        error = error_of(await client.post(COMPLETIONS, json={"prompt": "x", "stream": stream}), 500)
    assert "secret" not in error["message"]


async def test_model_without_fim_or_chat() -> None:
    async with in_memory(ScriptedEngine("ok", model=ModelInfo("plain", 4096))) as client:
        error = error_of(await client.post(COMPLETIONS, json={"prompt": "x", "suffix": "y"}), 400)
        assert error["param"] == "suffix"
        assert "'plain'" in error["message"]
        assert (await client.post(COMPLETIONS, json={"prompt": "x", "suffix": ""})).status_code == 200
        error = error_of(await client.post(CHATS, json={"messages": CHAT}), 400)
        assert "'plain'" in error["message"]


async def test_token_and_host_name() -> None:
    auth = Auth("right", LOOPBACK_NAMES)
    async with in_memory(ScriptedEngine("ok"), auth) as client:

        async def status(path: str, **headers: str) -> int:
            return (await client.get(path, headers={"Host": "localhost:80"} | headers)).status_code

        for path in ("/v1/models", "/healthz", "/nothing"):
            response = await client.get(path, headers={"Host": "localhost"})
            error = error_of(response, 401)
            assert error["code"] == "invalid_api_key"
            assert response.headers["www-authenticate"] == "Bearer"
        assert await status("/v1/models", Authorization="Bearer right") == 200
        assert await status("/v1/models", Authorization="bearer right") == 200
        assert await status("/v1/models", Authorization="Bearer wrong") == 401
        assert await status("/v1/models", Authorization="Basic right") == 401
        assert await status("/v1/models", Authorization="Bearer ") == 401
        for name in ("127.0.0.1", "[::1]:8000", "LOCALHOST:1"):
            assert await status("/v1/models", Authorization="Bearer right", Host=name) == 200
        for name in ("evil.example", "localhost.evil.example:80", "", "127.0.0.1.evil.example"):
            response = await client.get("/v1/models", headers={"Authorization": "Bearer right", "Host": name})
            assert error_of(response, 403)["code"] == "forbidden"


@settings(deadline=None, max_examples=50)
@given(st.sampled_from([COMPLETIONS, CHATS]), st.binary(max_size=40) | JSON_TEXT)
async def test_any_body_is_answered(path: str, content: bytes) -> None:
    async with in_memory(ScriptedEngine("ok")) as client:
        response = await client.post(path, content=content, headers=JSON)
    assert response.status_code in (200, 400, 404)
    assert ("error" in response.json()) == (response.status_code != 200)


async def test_failed_model_is_told() -> None:
    def refuse(settings: Settings) -> InProcessWorker:
        raise ModelUnavailable("No source has the model.")

    app = create_app(make_service(fleet_of(refuse)), Auth())
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://host") as client,
    ):
        error = error_of(await client.post(COMPLETIONS, json={"prompt": "x"}), 503)
        assert error["message"] == "No source has the model."
        health = await client.get("/healthz")
        assert (health.status_code, health.json()["state"]) == (200, "failed")
        assert (await client.get("/v1/models")).json() == {"object": "list", "data": []}
