"""The error tree. Every error a user can meet is one of these, and `str(error)` is the sentence they read.

Four categories say who can mend it: `model` (pick or fetch another), `resource` (free something or wait),
`integration` (the request, the settings or the peer is wrong), `system` (Heron or the machine failed).
Errors are mapped to HTTP statuses in `host/api/errors.py` and to LSP codes in `editor/lsp/errors.py`, nowhere else.
"""

from typing import ClassVar, Literal

Category = Literal["model", "resource", "integration", "system"]


class HeronError(Exception):
    """An error with a sentence for the user and, where there is one, what to do about it (`hint`)."""

    category: ClassVar[Category] = "system"
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ModelError(HeronError):
    category = "model"
    code = "model_error"


class UnknownModel(ModelError):
    """No model of that name; the message offers the nearest names."""

    code = "model_not_found"


class ModelUnavailable(ModelError):
    """A known model that could not be fetched from any source; the message names each source and why it failed."""

    code = "model_unavailable"


class ModelNotReady(ModelError):
    """The model is still being fetched, compiled or loaded."""

    code = "model_not_ready"


class CorruptModel(ModelError):
    """A model file or artefact whose content is not what its checksum or header says."""

    code = "model_corrupt"


class UnsupportedModel(ModelError):
    """An architecture, tensor type or tokenizer Heron does not run; the message lists what it does."""

    code = "model_unsupported"


class PromptTooLong(ModelError):
    """The prompt does not fit the context window; the message gives both lengths in tokens."""

    code = "context_length_exceeded"


class EditRefused(ModelError):
    """The model wrote nothing that can be offered, twice; the message says what was wrong with it."""

    code = "edit_refused"


class ResourceError(HeronError):
    category = "resource"
    code = "resource_error"


class OutOfMemory(ResourceError):
    code = "out_of_memory"


class DiskFull(ResourceError):
    code = "disk_full"


class NoPermission(ResourceError):
    code = "no_permission"


class Overloaded(ResourceError):
    """The queue is full; `retry_after_s` is when to try again, in seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class IntegrationError(HeronError):
    category = "integration"
    code = "integration_error"


class InvalidRequest(IntegrationError):
    """A parameter that is wrong; `param` names it, the message says what is allowed."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param


class UnsupportedFeature(InvalidRequest):
    """A parameter that the engine in use cannot honour, though another could; the message names both."""

    code = "feature_unsupported"


class OutsideWorkspace(IntegrationError):
    """A path that leads out of the workspace's folders; the message quotes it, the hint says what is allowed."""

    code = "outside_workspace"


class ContentModified(IntegrationError):
    """A document changed between a proposal and its use; the message names it."""

    code = "content_modified"


class InvalidSettings(IntegrationError):
    """A setting that is wrong; the message quotes key and value and what is allowed."""

    code = "invalid_settings"


class Unauthorized(IntegrationError):
    code = "unauthorized"


class Revoked(IntegrationError):
    """The request was stopped by somebody who may, not by its client."""

    code = "revoked"


class HostUnreachable(IntegrationError):
    """No host answers at the address the settings or the discovery file give."""

    code = "host_unreachable"


class AddressInUse(IntegrationError):
    """The socket or port is taken by another process."""

    code = "address_in_use"


class SystemFault(HeronError):
    category: ClassVar[Category] = "system"
    code = "system_fault"


class WorkerCrashed(SystemFault):
    """The engine worker ended or hung; it is restarted, and the request may be tried again."""

    code = "worker_crashed"


class WorkerKilled(WorkerCrashed):
    """Somebody ended the engine worker from outside: no request is to blame."""

    code = "worker_killed"


class WorkerOutOfMemory(WorkerCrashed):
    """The system ended the engine worker because memory had run out."""

    category = "resource"
    code = "worker_out_of_memory"


class DeviceLost(WorkerCrashed):
    """The card the model ran on failed or is gone."""

    category = "resource"
    code = "device_lost"


class LoadHung(SystemFault):
    """The worker said nothing for too long while it loaded, and was killed; the message says what was found wrong."""

    code = "load_hung"


class CompileFailed(SystemFault):
    """The model could not be compiled for this machine."""

    code = "compile_failed"
