"""`heron token create | list | revoke`: who may ask this user's host over TCP."""

import argparse
import time

from heron.commands.table import lay_out
from heron.host.tokens import SCOPES, Token, TokenStore, token_store
from heron.settings import home_folder


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `token` command."""
    parser = subparsers.add_parser("token", help="create, list and revoke tokens for the host's TCP port")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a token and print it, this once")
    create.add_argument("name", help="whose it is, for you")
    create.add_argument("--scope", action="append", choices=SCOPES, help="what it may do; default: complete and chat")
    create.add_argument("--days", type=_days, metavar="N", help="it expires after so many; default: never")
    actions.add_parser("list", help="all tokens, without their secrets")
    actions.add_parser("revoke", help="delete a token").add_argument("id", help="from the list")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run one action; 0."""
    store = token_store(home_folder())
    {"create": _create, "list": _list, "revoke": _revoke}[arguments.action](store, arguments)
    return 0


def _create(store: TokenStore, arguments: argparse.Namespace) -> None:
    token, secret = store.create(arguments.name, arguments.scope or ("complete", "chat"), arguments.days)
    print(f"{secret}\nKeep it: only its hash is stored. Id {token.id}, may: {', '.join(token.scopes)}.")


def _list(store: TokenStore, _arguments: argparse.Namespace) -> None:
    rows = [("ID", "NAME", "SCOPES", "CREATED", "EXPIRES"), *map(_row, store.list())]
    print("\n".join(lay_out(rows)))


def _revoke(store: TokenStore, arguments: argparse.Namespace) -> None:
    token = store.revoke(arguments.id)
    print(f"Revoked {token.id} ({token.name}). A running host refuses it from now on.")


def _row(token: Token) -> tuple[str, ...]:
    expires = "never" if token.expires is None else _date(token.expires)
    return token.id, token.name, ",".join(token.scopes), _date(token.created), expires


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 36500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days (above 0, at most 36500)")
    return days
