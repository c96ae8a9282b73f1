"""Messages that are nearly right, wrong, or noise, for HTTP, WebSocket, LSP and bare TCP; drawn from a seed."""

import copy
import json
import random
import string
from typing import Any

TEMPLATES: dict[str, dict[str, Any]] = {
    "/v1/completions": {"prompt": "x", "suffix": "y", "max_tokens": 3, "temperature": 0, "stop": ["z"], "logprobs": 1},
    "/v1/chat/completions": {
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 3,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "stream": True,
    },
    "/v1/embeddings": {"input": "x", "model": "auto"},
    "/infill": {"input_prefix": "a", "input_suffix": "b", "n_predict": 3, "prompt": "c"},
    "/tokenize": {"content": "x"},
}
LOOKS = ("/healthz", "/health", "/v1/models", "/props", "/v1/stats", "/metrics", "/v1/overview", "/v1/trace", "/")
POSITION = {"textDocument": {"uri": "file:///w/a.py"}, "position": {"line": 0, "character": 2}}
LSP: dict[str, Any] = {
    "textDocument/inlineCompletion": {**POSITION, "context": {"triggerKind": 1}},
    "textDocument/completion": POSITION,
    "textDocument/codeAction": {
        "textDocument": POSITION["textDocument"],
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}},
        "context": {"diagnostics": []},
    },
    "textDocument/hover": POSITION,
    "workspace/executeCommand": {"command": "heron.accepted", "arguments": [1]},
    "heron/lastTimings": None,
    "heron/model": {},
    "heron/context": POSITION,
    "heron/chat/list": {},
    "heron/chat/create": {},
    "heron/chat/turn": {"conversationId": "none", "message": "hello"},
    "nothing/known": {"a": 1},
}
LSP_NOTIFICATIONS: dict[str, Any] = {
    "textDocument/didOpen": {
        "textDocument": {"uri": "file:///w/a.py", "languageId": "python", "version": 1, "text": "x = f(\n"}
    },
    "textDocument/didChange": {
        "textDocument": {"uri": "file:///w/a.py", "version": 2},
        "contentChanges": [
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}, "text": "y"}
        ],
    },
    "textDocument/didClose": {"textDocument": {"uri": "file:///w/a.py"}},
    "workspace/didChangeConfiguration": {"settings": {}},
    "heron/didChangeCursor": POSITION,
    "$/cancelRequest": {"id": 1},
}
_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**31, -(2**63), 1e308, "", "x", "\ud800", "\0", "é" * 50, "x" * 5000,
    [], {}, [[]], {"": {}},
)  # fmt: skip


def odd_value(chance: random.Random) -> Any:
    """A value that is seldom expected."""
    if chance.random() < 0.8:
        return copy.deepcopy(chance.choice(_ODD))
    return [odd_value(chance) for _ in range(chance.randrange(4))]


def mutated(value: Any, chance: random.Random) -> Any:
    """A copy with one to three places changed, removed or added."""
    changed = copy.deepcopy(value)
    for _ in range(chance.randrange(1, 4)):
        changed = _mutate(changed, chance)
    return changed


def noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 300))


def http_body(chance: random.Random) -> tuple[str, bytes]:
    """A route and a body for it."""
    path = chance.choice(list(TEMPLATES))
    if chance.random() < 0.1:
        return path, noise(chance)
    body = json.dumps(mutated(TEMPLATES[path], chance)).encode()
    return path, body[: chance.randrange(len(body))] if chance.random() < 0.1 else body


def raw_http(chance: random.Random) -> bytes:
    """Bytes that a web server might meet."""
    path, body = http_body(chance)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    shapes = (
        noise(chance),
        head + body,
        head[: chance.randrange(len(head))],
        head.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length") + body,
        head.replace(str(len(body)).encode(), chance.choice((b"-1", b"9" * 30, b"0x1"))) + body,
        b"GET /" + bytes(chance.randrange(33, 255) for _ in range(40)) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * chance.randrange(2000) + b"\r\n",
        _flip(head + body, chance),
    )
    return chance.choice(shapes)


def socket_message(chance: random.Random, number: int) -> str | bytes:
    """A frame for `/v1/stream`."""
    if chance.random() < 0.1:
        return "".join(chance.choices(string.printable, k=40))
    path = chance.choice(list(TEMPLATES))
    body = {**TEMPLATES[path], "stream": chance.random() < 0.5}
    message = {"id": str(number), "path": path, "body": mutated(body, chance), "priority": "completion"}
    return json.dumps(mutated(message, chance) if chance.random() < 0.5 else message)


def lsp_message(chance: random.Random, number: int) -> dict[str, Any]:
    """A request or notification; requests have the number as id."""
    is_request = chance.random() < 0.6
    known = LSP if is_request else LSP_NOTIFICATIONS
    method = chance.choice(list(known))
    params = known[method] if chance.random() < 0.3 else mutated(known[method], chance)
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return message | {"id": number} if is_request else message


def lsp_noise(chance: random.Random) -> bytes:
    """A frame whose body is no message."""
    body = noise(chance) if chance.random() < 0.5 else json.dumps(odd_value(chance)).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _mutate(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(6):
            case 0:
                del value[key]
            case 1:
                value["".join(chance.choices(string.ascii_letters, k=5))] = odd_value(chance)
            case 2:
                value[key] = odd_value(chance)
            case _:
                value[key] = _mutate(value[key], chance)
        return value
    if isinstance(value, list) and value and chance.random() < 0.8:
        index = chance.randrange(len(value))
        value[index] = _mutate(value[index], chance)
        return value
    return odd_value(chance)


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
