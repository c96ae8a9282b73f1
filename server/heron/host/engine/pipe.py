"""What host and worker say to each other over the worker's stdin and stdout: one JSON message a line.

Host to worker: Init once, then Generate, Abort, Tokenize, ReadMetrics, ReadSteps; closing stdin (or Close) ends the
worker. Worker to host: HealthChanged until Loaded, then DeltaSent, TokensRead, MetricsRead, StepsRead, RequestFailed.
"""

import json
from dataclasses import dataclass
from typing import Any

from heron.errors import HeronError, InvalidRequest, Overloaded, SystemFault
from heron.host.engine.codec import decode, encode
from heron.host.engine.scripted import Script
from heron.host.engine.spans import StepSpan
from heron.settings import Settings
from heron.wire import Delta, GenerateRequest, Health, ModelInfo

DEVICE_LOST_STATUS = 86
"""A worker that ends with this status lost its card; another one would meet the same."""
MAX_LINE_BYTES = 1 << 28
"""A longer line is no message: stops a confused peer from filling the memory."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A HeronError on the wire; `code` names its class."""

    code: str
    message: str
    hint: str = ""
    param: str = ""
    retry_after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Init:
    """First message: load the model the settings name, or run a script instead of a model."""

    settings: Settings
    script: Script | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    request: GenerateRequest


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop a request; nothing more is heard of it. Unknown ids are ignored: it may just have ended."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Tokenize:
    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadMetrics:
    """Also the heartbeat: a healthy worker answers at once, whatever the engine computes."""

    call_id: str


@dataclass(frozen=True, slots=True)
class ReadSteps:
    call_id: str
    since_s: float


@dataclass(frozen=True, slots=True)
class Close:
    """End; the same as closing the worker's stdin."""


@dataclass(frozen=True, slots=True)
class HealthChanged:
    health: Health


@dataclass(frozen=True, slots=True)
class Loaded:
    """The engine takes requests from now on."""

    model: ModelInfo


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The model cannot be loaded, and trying again at once would not help; the worker ends."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class DeltaSent:
    request_id: str
    delta: Delta


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request or call ended with an error; `request_id` is the request's or the call's id."""

    request_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class TokensRead:
    call_id: str
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MetricsRead:
    call_id: str
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class StepsRead:
    call_id: str
    steps: tuple[StepSpan, ...]


HostMessage = Init | Generate | Abort | Tokenize | ReadMetrics | ReadSteps | Close
WorkerMessage = HealthChanged | Loaded | LoadFailed | DeltaSent | RequestFailed | TokensRead | MetricsRead | StepsRead


def write_message(message: HostMessage | WorkerMessage) -> bytes:
    """One line of ASCII JSON, newline included; lone surrogates in texts survive as escapes."""
    return json.dumps(encode(message), separators=(",", ":")).encode("ascii") + b"\n"


def read_host_message(line: bytes) -> HostMessage:
    """The message a line from the host holds; SystemFault when it holds none."""
    message: HostMessage = _read(HostMessage, line)
    return message


def read_worker_message(line: bytes) -> WorkerMessage:
    """The message a line from the worker holds; SystemFault when it holds none."""
    message: WorkerMessage = _read(WorkerMessage, line)
    return message


def failure_of(error: Exception) -> Failure:
    """The wire form of an error; one that is not ours becomes a SystemFault."""
    if not isinstance(error, HeronError):
        return Failure(SystemFault.code, f"The engine failed: {type(error).__name__}: {error}")
    param = error.param if isinstance(error, InvalidRequest) else ""
    retry_after_s = error.retry_after_s if isinstance(error, Overloaded) else 1.0
    return Failure(error.code, error.message, error.hint, param, retry_after_s)


def error_of(failure: Failure) -> HeronError:
    """The error a failure stands for, of the class it was on the other side."""
    kind = _error_class(failure.code)
    if issubclass(kind, InvalidRequest):
        return kind(failure.message, param=failure.param, hint=failure.hint)
    if issubclass(kind, Overloaded):
        return kind(failure.message, retry_after_s=failure.retry_after_s, hint=failure.hint)
    return kind(failure.message, hint=failure.hint)


def _read(kind: Any, line: bytes) -> Any:
    try:
        return decode(kind, json.loads(line))
    except (ValueError, RecursionError) as error:
        raise SystemFault(f"Not a message between host and worker: {error}.") from error


def _error_class(code: str) -> type[HeronError]:
    pending = [HeronError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind
        pending.extend(kind.__subclasses__())
    return SystemFault
