"""Requests that schemathesis makes from the host's own OpenAPI schema, right and wrong: each gets an answer that the
schema names. HERON_EXAMPLES sets how many for each route."""

import os
import threading
from collections.abc import Iterator

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.doors import server_config
from heron.host.api.listen import LOOPBACK, listen_tcp
from heron.host.api.service import make_service
from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import pool_of

EXAMPLES = int(os.environ.get("HERON_EXAMPLES", "25"))
APP = create_app(make_service(pool_of(ScriptedEngine("an answer"))), Auth())
SCHEMA = schemathesis.openapi.from_dict(APP.openapi()).exclude(path_regex="^/v1/(dashboard|model/.*)$")
WANTED = [checks.not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A real server, on a thread of its own: schemathesis asks synchronously."""
    server = uvicorn.Server(server_config(APP))
    with listen_tcp(0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_every_answer_is_one_that_the_schema_names(case: schemathesis.Case, base_url: str) -> None:
    case.call_and_validate(base_url=base_url, checks=WANTED)
