"""Who may ask this host over TCP: tokens with scopes, kept hashed in the home.

A token is 256 random bits, so a plain SHA-256 of it can be stored: nobody guesses it (NIST SP 800-63B, 5.1.2.2).
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock

from heron.errors import InvalidRequest, InvalidSettings

Scope = Literal["complete", "chat", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_PREFIX = "heron_"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `created` and `expires` are in seconds since 1970; it expires never if None."""

    id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    created: float
    expires: float | None = None


class TokenStore:
    """The tokens in a file, read anew when it changes, so that a running host knows what was created or revoked."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._tokens: tuple[Token, ...] = ()
        self._stamp: tuple[int, int, int] | None = None

    def list(self) -> tuple[Token, ...]:
        """All tokens, the expired too. Raises InvalidSettings if the file is damaged."""
        stamp = self._read_stamp()
        if stamp != self._stamp:
            self._tokens = self._read() if stamp else ()
            self._stamp = stamp
        return self._tokens

    def create(self, name: str, scopes: Iterable[Scope], days: float | None = None) -> tuple[Token, str]:
        """A new token and its secret, which nobody can find out later."""
        if not (wanted := tuple(scope for scope in SCOPES if scope in set(scopes))):
            raise InvalidRequest(f"A token needs at least one scope: {', '.join(SCOPES)}.", param="scope")
        secret, now = _PREFIX + secrets.token_urlsafe(32), self._clock()
        expires = None if days is None else now + days * 86400
        token = Token(secrets.token_hex(4), name, _digest(secret), wanted, now, expires)
        with self._changing():
            self._write((*self.list(), token))
        return token, secret

    def revoke(self, id: str) -> Token:
        """Delete the token of this id. Raises InvalidRequest if there is none."""
        with self._changing():
            kept = tuple(token for token in self.list() if token.id != id)
            gone = [token for token in self.list() if token.id == id]
            if not gone:
                raise InvalidRequest(f"There is no token {id!a}.", hint="See heron token list.")
            self._write(kept)
        return gone[0]

    def find(self, secret: str) -> Token | None:
        """The token of a secret that has not expired. Takes as long for a wrong secret; a damaged file has none."""
        try:
            tokens = self.list()
        except InvalidSettings as error:
            _log.error("%s", error)
            return None
        digest, found = _digest(secret), None
        for token in tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found if found and (found.expires is None or self._clock() < found.expires) else None

    def _changing(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._path.with_suffix(".lock"))

    def _read_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> tuple[Token, ...]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(Token(**entry | {"scopes": tuple(map(_scope, entry["scopes"]))}) for entry in entries)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InvalidSettings(
                f"The tokens in {self._path} cannot be read: {error}.", hint="Mend or delete it; nobody is let in."
            ) from error

    def _write(self, tokens: tuple[Token, ...]) -> None:
        aside = self._path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(token) for token in tokens], file, indent=1)
        os.replace(aside, self._path)


def token_store(home: Path) -> TokenStore:
    """The tokens of a home."""
    return TokenStore(home / "tokens.json")


def _scope(text: str) -> Scope:
    for scope in SCOPES:
        if text == scope:
            return scope
    raise ValueError(f"{text!a} is no scope")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", errors="replace")).hexdigest()
