import pytest

from heron.errors import Overloaded
from heron.host.api.ledger import Finished
from heron.host.api.quotas import Quotas, join_client, token_of
from heron.settings import LimitSettings
from heron.wire import GenerateRequest, TextPrompt, Usage


def finished(client: str, tokens: int) -> Finished:
    return Finished(GenerateRequest("1", TextPrompt("x"), client=client), "stop", "", 1.0, 2.0, Usage(tokens, 0))


def ask(quotas: Quotas, client: str) -> None:
    with quotas.admit(client):
        pass


def test_requests_a_minute_are_counted_for_each_token() -> None:
    quotas = Quotas(LimitSettings(requests_per_minute=2))
    ask(quotas, "ann/vim")
    ask(quotas, "ann/vim")
    with pytest.raises(Overloaded, match="2 requests a minute") as caught:
        ask(quotas, "ann/vim")
    assert 1 <= caught.value.retry_after_s <= 60
    ask(quotas, "bob/vim")


def test_tokens_are_charged_when_they_are_known() -> None:
    quotas = Quotas(LimitSettings(tokens_per_minute=100))
    ask(quotas, "ann/vim")
    quotas.note(finished("ann/vim", 1000))
    with pytest.raises(Overloaded, match="100 tokens a minute"):
        ask(quotas, "ann/vim")
    ask(quotas, "bob/vim")


def test_requests_at_once() -> None:
    quotas = Quotas(LimitSettings(concurrent_requests=1))
    with quotas.admit("ann/vim"):
        with pytest.raises(Overloaded, match="1 requests running"):
            ask(quotas, "ann/vim")
        ask(quotas, "bob/vim")
    ask(quotas, "ann/vim")


def test_one_client_may_use_its_share_of_its_tokens_limits() -> None:
    quotas = Quotas(LimitSettings(4, 100, 2, client_share=0.5))
    with quotas.admit("ann/vim"):
        with pytest.raises(Overloaded, match="This client already has 1 requests running"):
            ask(quotas, "ann/vim")
        with quotas.admit("ann/emacs"), pytest.raises(Overloaded, match="This token already has 2 requests running"):
            ask(quotas, "ann/helix")
    quotas.note(finished("ann/emacs", 60))
    with pytest.raises(Overloaded, match="This client may use 50 tokens a minute"):
        ask(quotas, "ann/emacs")
    ask(quotas, "ann/vim")
    with pytest.raises(Overloaded, match="This client may use 2 requests a minute") as caught:
        ask(quotas, "ann/vim")
    assert 1 <= caught.value.retry_after_s <= 60
    ask(quotas, "ann/helix")
    with pytest.raises(Overloaded, match="This token may use 4 requests a minute"):
        ask(quotas, "ann/kate")


def test_this_user_has_no_limits() -> None:
    quotas = Quotas(LimitSettings(1, 1, 1))
    quotas.note(finished("my_window", 1000))
    with quotas.admit("my_window"), quotas.admit(""):
        pass


@pytest.mark.parametrize(
    ("token", "name"), [("beef", "vim"), ("", "vim"), ("", "/evil"), ("", "beef/evil"), ("beef", "a/b"), ("", "")]
)
def test_nobody_can_name_himself_another_token(token: str, name: str) -> None:
    joined = join_client(token, name)
    assert token_of(joined) == token
