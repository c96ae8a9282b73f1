"""A raw language client over stdio, for black-box tests of the real server process: it sends what it is told to."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

TIMEOUT_S = 90.0


class LspClient:
    """Talks to a child process. Answers the server's requests with null, keeps its notifications in `received`."""

    def __init__(self, command: list[str] | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "heron", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.received: list[dict[str, Any]] = []
        self.log = b""
        self._last_id = 0
        self._responses: dict[Any, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._read_log)]
        for thread in self._threads:
            thread.start()

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, *messages: object) -> None:
        """Send messages in one write."""
        self.send_bytes(b"".join(frame(json.dumps(message).encode()) for message in messages))

    def notify(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def start(self, method: str, params: object = None) -> int:
        """Send a request and give its id."""
        self._last_id += 1
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        return self._last_id

    def wait(self, request_id: int | str | None) -> dict[str, Any]:
        """The response to a request, once."""
        self._wait_for(lambda: request_id in self._responses)
        return self._responses.pop(request_id)

    def request(self, method: str, params: object = None) -> dict[str, Any]:
        return self.wait(self.start(method, params))

    def wait_notification(self, method: str, **values: object) -> dict[str, Any]:
        """The first notification of a method whose params have these values."""

        def find() -> dict[str, Any] | None:
            found = (message["params"] for message in self.received if message["method"] == method)
            return next((params for params in found if values.items() <= params.items()), None)

        self._wait_for(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    def initialize(self, options: object = None, **params: object) -> dict[str, Any]:
        given = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options, **params}
        response = self.request("initialize", given)
        self.notify("initialized", {})
        return response

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def complete(self, uri: str, line: int, character: int, *, invoked: bool = True) -> dict[str, Any]:
        return self.request("textDocument/inlineCompletion", completion_params(uri, line, character, invoked=invoked))

    def leave(self) -> int:
        """Shut the server down in order and give its exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.wait_exit()

    def wait_exit(self) -> int:
        code = self.process.wait(TIMEOUT_S)
        self.close()
        return code

    def close(self) -> None:
        """Kill the server if it still runs, and free the pipes."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(TIMEOUT_S)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def __enter__(self) -> "LspClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_for(self, condition: Any) -> None:
        with self._changed:
            fine = self._changed.wait_for(lambda: condition() or self._ended, TIMEOUT_S)
            if not condition():
                raise AssertionError(f"{'server ended' if fine else 'no answer'}; log:\n{self.log.decode()[-4000:]}")

    def _read(self) -> None:
        while (message := self._read_message()) is not None:
            if "method" in message and "id" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            with self._changed:
                if "method" in message:
                    self.received.append(message)
                else:
                    assert message["id"] is None or message["id"] not in self._responses, "two responses to a request"
                    self._responses[message["id"]] = message
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_message(self) -> dict[str, Any] | None:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline():
            if line == b"\r\n":
                message: dict[str, Any] = json.loads(self.process.stdout.read(length))
                return message
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return None

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        while data := os.read(self.process.stderr.fileno(), 65536):
            self.log += data


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def completion_params(uri: str, line: int, character: int, *, invoked: bool = True) -> dict[str, Any]:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1 if invoked else 2},
    }
