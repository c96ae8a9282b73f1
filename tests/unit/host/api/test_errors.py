import json

import pytest

from heron import errors
from heron.errors import HeronError, InvalidRequest, Overloaded
from heron.host.api.errors import error_response

STATUSES = {
    "Revoked": 409,
    "UnsupportedFeature": 400,
    "HeronError": 500,
    "ModelError": 503,
    "UnknownModel": 404,
    "ModelUnavailable": 503,
    "ModelNotReady": 503,
    "CorruptModel": 503,
    "UnsupportedModel": 503,
    "EditRefused": 503,
    "PromptTooLong": 400,
    "ResourceError": 503,
    "OutOfMemory": 503,
    "DiskFull": 503,
    "NoPermission": 503,
    "Overloaded": 429,
    "IntegrationError": 500,
    "InvalidRequest": 400,
    "OutsideWorkspace": 500,
    "ContentModified": 500,
    "InvalidSettings": 500,
    "Unauthorized": 401,
    "HostUnreachable": 500,
    "AddressInUse": 500,
    "SystemFault": 500,
    "WorkerCrashed": 503,
    "WorkerKilled": 503,
    "WorkerOutOfMemory": 503,
    "DeviceLost": 503,
    "LoadHung": 503,
    "CompileFailed": 500,
}


def error_classes() -> list[type[HeronError]]:
    return [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, HeronError)]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_status(kind: type[HeronError]) -> None:
    response = error_response(kind("It went wrong.", hint="Do this."))
    assert response.status_code == STATUSES[kind.__name__]
    error = json.loads(bytes(response.body))["error"]
    assert error["message"] == "It went wrong. Do this."
    assert error["code"] == ("invalid_api_key" if kind.__name__ == "Unauthorized" else kind.code)
    assert error["param"] is None


def test_a_parameter_is_named() -> None:
    response = error_response(InvalidRequest("top_p: 2 is not allowed.", param="top_p"))
    assert json.loads(bytes(response.body))["error"]["param"] == "top_p"


def test_retry_after_is_in_whole_seconds() -> None:
    assert error_response(Overloaded("Full.", retry_after_s=0.2)).headers["retry-after"] == "1"
