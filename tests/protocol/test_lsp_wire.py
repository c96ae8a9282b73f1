"""Whatever comes over the wire, each request gets one response, and the server goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.lsp.framing import frame
from protocol.lsp_editor import Editor, call, connect_nowhere, editor_of, notification

OPTIONS = {"completion": {"timeout_ms": 50}}


@pytest.fixture
async def editor() -> AsyncIterator[Editor]:
    """An initialized editor whose server never finds a host."""
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(OPTIONS)
        yield editor


async def is_alive(editor: Editor) -> bool:
    return "result" in await editor.request("heron/lastTimings")


def error_of(response: dict[str, Any]) -> tuple[int, str]:
    return response["error"]["code"], response["error"]["message"]


async def test_initialize_tells_what_the_server_can() -> None:
    async with editor_of(connect_nowhere) as editor:
        result = (await editor.initialize())["result"]
    capabilities = result["capabilities"]
    assert result["serverInfo"]["name"] == "heron"
    assert capabilities["positionEncoding"] == "utf-16"
    assert capabilities["textDocumentSync"] == {"openClose": True, "change": 2, "save": {"includeText": False}}
    assert capabilities["inlineCompletionProvider"] == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_the_position_encoding_is_the_first_the_client_offers(encoding: str) -> None:
    async with editor_of(connect_nowhere) as editor:
        offered = {"general": {"positionEncodings": [encoding, "utf-16"]}}
        response = await editor.initialize(capabilities=offered)
        assert response["result"]["capabilities"]["positionEncoding"] == encoding
        assert editor.session.encoding == encoding


async def test_requests_before_initialize_are_refused() -> None:
    async with editor_of(connect_nowhere) as editor:
        code, message = error_of(await editor.request("shutdown"))
        assert code == -32002
        assert "shutdown" in message
        assert "result" in await editor.initialize()


async def test_a_second_initialize_is_refused(editor: Editor) -> None:
    response = await editor.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    assert error_of(response)[0] == -32600


async def test_requests_after_shutdown_are_refused(editor: Editor) -> None:
    assert (await editor.request("shutdown"))["result"] is None
    assert error_of(await editor.request("textDocument/inlineCompletion"))[0] == -32600
    assert error_of(await editor.request("shutdown"))[0] == -32600


@pytest.mark.parametrize(("in_order", "code"), [(True, 0), (False, 1)])
async def test_exit_code(editor: Editor, in_order: bool, code: int) -> None:
    if in_order:
        await editor.request("shutdown")
    editor.notify("exit")
    await editor.reading
    assert editor.gate.exit_code == code


async def test_shutdown_answers_what_still_runs(editor: Editor) -> None:
    editor.open("x = ")
    request = editor.ask(0, 4)
    assert (await editor.request("shutdown"))["result"] is None
    response = await editor.wait(request)
    assert response.get("result", "-") is None or response["error"]["code"] == -32800


@pytest.mark.parametrize("method", ["heron/nothing", "textDocument/hover", "", "exit", "textDocument/didOpen"])
async def test_unknown_requests(editor: Editor, method: str) -> None:
    assert error_of(await editor.request(method, {}))[0] == -32601
    assert await is_alive(editor)


async def test_bad_params_are_told_by_place(editor: Editor) -> None:
    params = {"textDocument": {"uri": "file:///a"}, "position": {"line": "x"}, "context": {"triggerKind": 2}}
    code, message = error_of(await editor.request("textDocument/inlineCompletion", params))
    assert code == -32602
    assert "position.line" in message
    assert await is_alive(editor)
    assert editor.told("window/showMessage") == []


@pytest.mark.parametrize("params", [None, [], "x", 5, {}, {"textDocument": None}])
async def test_bad_params_of_any_kind(editor: Editor, params: object) -> None:
    assert error_of(await editor.request("textDocument/inlineCompletion", params))[0] == -32602
    editor.notify("textDocument/didOpen", params)
    editor.notify("textDocument/didChange", params)
    assert await is_alive(editor)
    assert editor.told("window/showMessage") == []


@pytest.mark.parametrize("position", [{"line": 10**9, "character": 0}, {"line": 0, "character": 2**31 - 1}])
async def test_a_position_outside_the_document(editor: Editor, position: object) -> None:
    editor.open("x = ")
    params = {"textDocument": {"uri": "file:///work/a.py"}, "position": position, "context": {"triggerKind": 2}}
    assert (await editor.request("textDocument/inlineCompletion", params))["result"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc": "2.0", "id": 1' + b"0" * 5000 + b"}", -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]', -32600),
        (b"1", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "shutdown"}', -32600),
    ],
)
async def test_what_is_no_message_is_answered_without_an_id(editor: Editor, body: bytes, code: int) -> None:
    editor.chunks.put_nowait(frame(body))
    assert error_of(await editor.wait(None))[0] == code
    assert await is_alive(editor)


async def test_a_request_whose_method_is_no_string_is_answered(editor: Editor) -> None:
    editor.send({"jsonrpc": "2.0", "id": "x", "method": 5})
    assert error_of(await editor.wait("x"))[0] == -32600


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": "nobody asked", "result": 1},
        {"jsonrpc": "2.0", "id": 5, "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0", "id": 5, "error": "x"},
        {"jsonrpc": "2.0", "id": []},
        {"jsonrpc": "2.0"},
        {"jsonrpc": "2.0", "method": []},
        notification("$/cancelRequest", {"id": "nobody asked"}),
        notification("$/cancelRequest", {"id": [1]}),
        notification("$/setTrace", {"value": "loud"}),
        notification("window/workDoneProgress/cancel", {"token": "x"}),
        notification("notebookDocument/didChange", {"notebookDocument": {"uri": "x", "version": 1}, "change": {}}),
        notification("initialize", {}),
    ],
)
async def test_stray_messages_are_ignored(editor: Editor, message: object) -> None:
    editor.send(message)
    assert await is_alive(editor)
    assert editor.told("window/showMessage") == []


async def test_an_overlong_or_broken_header_is_told(editor: Editor) -> None:
    editor.chunks.put_nowait(b"Content-Length: x\r\n\r\n")
    assert error_of(await editor.wait(None))[0] == -32700
    assert await is_alive(editor)


async def test_an_absurd_length_ends_the_connection_in_order(editor: Editor) -> None:
    editor.chunks.put_nowait(b"Content-Length: 1000000000000000\r\n\r\n")
    await editor.reading
    assert error_of(await editor.wait(None))[0] == -32700
    assert editor.gate.exit_code == 1


METHODS = st.sampled_from(
    [
        *("textDocument/inlineCompletion", "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose"),
        *("heron/lastTimings", "initialize", "initialized", "workspace/didChangeConfiguration", "$/cancelRequest"),
        *("workspace/executeCommand", "workspace/didChangeWorkspaceFolders", "$/setTrace", "$/progress", "no/such"),
        *("textDocument/didShowCompletion", "notebookDocument/didOpen", "window/workDoneProgress/cancel"),
    ]
)
KEYS = st.sampled_from(
    [
        *("textDocument", "uri", "version", "languageId", "text", "position", "line", "character", "context"),
        *("triggerKind", "contentChanges", "range", "start", "end", "id", "settings", "heron", "completion", "enabled"),
        *("token", "value", "event", "added", "removed", "command", "selectedCompletionInfo"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["file:///a", "x", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
POSITIONS = st.fixed_dictionaries({"line": st.integers(0, 3), "character": st.integers(0, 6)})
IDENTIFIERS = st.fixed_dictionaries({"uri": st.sampled_from(["file:///a", "file:///b"]), "version": st.integers(0, 9)})
TEXTS = st.text(st.sampled_from(list("ab (\n\r😀\ud800")), max_size=8)
CHANGES = st.fixed_dictionaries(
    {"text": TEXTS}, optional={"range": st.fixed_dictionaries({"start": POSITIONS, "end": POSITIONS})}
)
PARAMS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "textDocument": IDENTIFIERS.flatmap(lambda identifier: TEXTS.map(lambda text: _item(identifier, text))),
        "position": POSITIONS,
        "context": st.fixed_dictionaries({"triggerKind": st.sampled_from([1, 2])}),
        "contentChanges": st.lists(CHANGES, max_size=3),
    },
)
MESSAGES = st.tuples(METHODS, PARAMS, st.booleans())


def _item(identifier: dict[str, object], text: str) -> dict[str, object]:
    return identifier | {"languageId": "python", "text": text}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(MESSAGES, max_size=25))
def test_every_request_of_any_kind_gets_exactly_one_response(messages: list[tuple[str, object, bool]]) -> None:
    asyncio.run(_talk(messages))


async def _talk(messages: list[tuple[str, object, bool]]) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(OPTIONS)
        asked: list[int | str] = []
        for number, (method, params, is_request) in enumerate(messages):
            if is_request:
                asked.append(f"r{number}")
                editor.send(call(f"r{number}", method, params))
            else:
                editor.send(notification(method, params))
        for request_id in asked:
            await editor.wait(request_id)
        assert (await editor.request("shutdown"))["result"] is None
        assert all(len(editor.responses[request_id]) == 1 for request_id in asked)
        json.dumps(editor.received)
