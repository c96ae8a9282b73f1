"""`heron token`, as a user types it."""

from pathlib import Path

import pytest

from heron.cli import main
from heron.host.tokens import token_store


def test_a_token_is_made_listed_and_revoked(heron_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "ann", "--scope", "chat", "--days", "30"]) == 0
    secret, kept = capsys.readouterr().out.splitlines()
    token = token_store(heron_home).find(secret)
    assert token is not None
    assert kept == f"Keep it: only its hash is stored. Id {token.id}, may: chat."

    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert secret not in listed
    assert listed.splitlines()[1].split()[:3] == [token.id, "ann", "chat"]

    assert main(["token", "revoke", token.id]) == 0
    assert token_store(heron_home).find(secret) is None
    assert main(["token", "revoke", token.id]) == 1
    assert f"There is no token '{token.id}'. See heron token list." in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "-1", "nan", "soon", "1e9"])
def test_a_token_expires_after_a_number_of_days(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["token", "create", "ann", f"--days={days}"])
    assert ended.value.code == 2
    assert f"'{days}' is not a number of days" in capsys.readouterr().err


def test_without_a_wish_a_token_completes_and_chats(heron_home: Path) -> None:
    assert main(["token", "create", "bob"]) == 0
    (token,) = token_store(heron_home).list()
    assert (token.scopes, token.expires) == (("complete", "chat"), None)
