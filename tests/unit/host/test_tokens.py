import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import InvalidRequest, InvalidSettings
from heron.host.tokens import TokenStore


def store_in(folder: Path, now: list[float] | None = None) -> TokenStore:
    times = now or [1000.0]
    return TokenStore(folder / "tokens.json", lambda: times[0])


def test_only_a_hash_is_stored_and_only_for_the_owner(tmp_path: Path) -> None:
    token, secret = store_in(tmp_path).create("ann", ["chat", "complete"], days=1)
    path = tmp_path / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_text()
    assert store_in(tmp_path).find(secret) == token
    assert token.scopes == ("complete", "chat")


def test_a_running_host_learns_of_changes(tmp_path: Path) -> None:
    host, command = store_in(tmp_path), store_in(tmp_path)
    assert host.find("heron_x") is None
    token, secret = command.create("ann", ["admin"])
    other, _ = command.create("bob", ["chat"])
    assert host.find(secret) == token
    command.revoke(token.id)
    assert host.find(secret) is None
    assert host.list() == (other,)


def test_a_token_expires(tmp_path: Path) -> None:
    now = [1000.0]
    store = store_in(tmp_path, now)
    _, secret = store.create("ann", ["chat"], days=1)
    now[0] += 86399
    assert store.find(secret)
    now[0] += 1
    assert store.find(secret) is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"id": "x"}]', '[{"scopes": ["root"]}]', "\xff"])
def test_a_damaged_file_lets_nobody_in_and_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokens.json").write_text(content, encoding="latin-1")
    assert store_in(tmp_path).find("heron_x") is None
    if content != "{}":  # an empty object reads as no tokens
        with pytest.raises(InvalidSettings, match=r"tokens\.json"):
            store_in(tmp_path).list()


def test_what_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="heron token list"):
        store_in(tmp_path).revoke("beef")


def test_a_token_needs_a_scope(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="complete, chat, admin"):
        store_in(tmp_path).create("ann", [])


@given(secret=st.text(max_size=80))
def test_a_guessed_secret_finds_nothing(secret: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "tokens.json").write_text(json.dumps([]))
    store = store_in(folder)
    store.create("ann", ["admin"])
    assert store.find(secret) is None
