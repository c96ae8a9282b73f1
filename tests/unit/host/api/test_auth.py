import pytest

from heron.errors import Unauthorized
from heron.host.api.auth import LOOPBACK_NAMES, Auth, loopback_auth

OPEN = Auth()
CLOSED = Auth("token", LOOPBACK_NAMES)


def test_a_private_socket_asks_for_nothing() -> None:
    OPEN.check_token({})
    assert OPEN.allows_host({"host": "anything"})


@pytest.mark.parametrize("value", ["Bearer token", "bearer token", "Bearer  token "])
def test_the_right_token(value: str) -> None:
    CLOSED.check_token({"authorization": value})


@pytest.mark.parametrize(
    "value", ["", "token", "Bearer", "Bearer toke", "Bearer token2", "Bearer tökén", "Basic token"]
)
def test_any_other_token(value: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        CLOSED.check_token({"authorization": value})
    assert "Bearer token" not in str(caught.value)


@pytest.mark.parametrize("name", ["localhost", "LocalHost:8000", "127.0.0.1:1", "[::1]", "[::1]:9"])
def test_loopback_names(name: str) -> None:
    assert CLOSED.allows_host({"host": name})


@pytest.mark.parametrize(
    "name", ["", "evil.example", "localhost.evil.example", "[::1", "[::1].evil", "127.0.0.2", "::1"]
)
def test_other_names(name: str) -> None:
    assert not CLOSED.allows_host({"host": name})


def test_the_token_is_that_of_the_user_or_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HERON_TOKEN", raising=False)
    assert len(loopback_auth().token) >= 32
    assert loopback_auth().token != loopback_auth().token
    monkeypatch.setenv("HERON_TOKEN", "mine")
    assert loopback_auth().token == "mine"
