from pathlib import Path

import pytest

from heron.errors import Unauthorized
from heron.host.api.auth import LOOPBACK_NAMES, Auth, Grant, own_token
from heron.host.tokens import TokenStore

OPEN = Auth()
CLOSED = Auth("token", LOOPBACK_NAMES)


def test_a_private_socket_asks_for_nothing() -> None:
    OPEN.identify({})
    assert OPEN.allows_host({"host": "anything"})


@pytest.mark.parametrize("value", ["Bearer token", "bearer token", "Bearer  token "])
def test_the_right_token(value: str) -> None:
    CLOSED.identify({"authorization": value})


@pytest.mark.parametrize(
    "value", ["", "token", "Bearer", "Bearer toke", "Bearer token2", "Bearer tökén", "Basic token"]
)
def test_any_other_token(value: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        CLOSED.identify({"authorization": value})
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
    assert len(own_token()) >= 32
    assert own_token() != own_token()
    monkeypatch.setenv("HERON_TOKEN", "mine")
    assert own_token() == "mine"


def test_a_stored_token_may_do_what_its_scopes_say(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    token, secret = store.create("ann", ["complete"])
    grant = Auth("own", LOOPBACK_NAMES, tokens=store).identify({"authorization": f"Bearer {secret}"})
    assert grant == Grant(frozenset({"complete"}), token.id)
    assert grant.allows("/infill")
    assert grant.allows("/v1/models/x")
    assert not grant.allows("/v1/models/x/unload")
    assert not grant.allows("/v1/chat/completions")
    assert not grant.allows("/metrics")
    assert Grant().allows("/metrics")


def test_tokens_alone_close_the_door(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized):
        Auth(tokens=TokenStore(tmp_path / "none.json")).identify({})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://localhost:8000", True),
        ("https://editor.example", True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("http://localhost", False),
    ],
)
def test_origins(origin: str | None, allowed: bool) -> None:
    auth = Auth("token", LOOPBACK_NAMES, frozenset({"https://editor.example"}))
    headers = {"host": "localhost:8000"} | ({} if origin is None else {"origin": origin})
    assert auth.allows_origin(headers) == allowed
