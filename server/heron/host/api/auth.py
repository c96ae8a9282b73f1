"""Who may ask, and what: anybody who can open the private Unix socket; over TCP, who brings a token."""

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from heron.errors import Unauthorized
from heron.host.tokens import Scope, TokenStore

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FOR_ALL = ("/health", "/healthz", "/v1/health", "/v1/models", "/props", "/v1/stream")
_FOR_SCOPE: dict[Scope, tuple[str, ...]] = {
    "complete": ("/v1/completions", "/v1/embeddings", "/infill", "/tokenize"),
    "chat": ("/v1/chat/completions",),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do. `client` is the id of its token, empty for this user."""

    scopes: frozenset[Scope] = frozenset({"admin"})
    client: str = ""

    def allows(self, path: str) -> bool:
        """Whether a route may be asked; what is not named here is for admins."""
        if "admin" in self.scopes or path in _FOR_ALL:
            return True
        if path.startswith("/v1/models/"):
            return not path.endswith("/unload")
        return any(path in _FOR_SCOPE[scope] for scope in self.scopes if scope in _FOR_SCOPE)


@dataclass(frozen=True, slots=True)
class Auth:
    """What every request must bring. Empty fields ask for nothing, as on a Unix socket only its owner can open.

    `token` may do everything, those of `tokens` what their scopes say. Checking the name in `Host` and the `Origin`
    keeps web pages out, also those whose own name was made to point at this machine (DNS rebinding).
    """

    token: str = ""
    host_names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    tokens: TokenStore | None = None

    def allows_host(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was sent to a name this host goes by."""
        return not self.host_names or _without_port(headers.get("host", "")).lower() in self.host_names

    def allows_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether the web page that asks, if one does, is this host's own or one of those allowed."""
        origin = headers.get("origin")
        if origin is None or not self.host_names or origin in self.origins:
            return True
        return origin.partition("://")[2] == headers.get("host", "")

    def identify(self, headers: Mapping[str, str]) -> Grant:
        """What the bearer token allows. Raises Unauthorized without a right one; comparing takes constant time."""
        if not self.token and self.tokens is None:
            return Grant()
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise Unauthorized("This host needs a token.", hint="Send the header Authorization: Bearer <token>.")
        secret = given.strip()
        if self.token and hmac.compare_digest(secret.encode(), self.token.encode()):
            return Grant()
        if self.tokens and (found := self.tokens.find(secret)):
            return Grant(frozenset(found.scopes), found.id)
        raise Unauthorized("The token is not one of this host, or it has expired.")


def own_token() -> str:
    """The token of this user for everything: that of `HERON_TOKEN`, or a new one."""
    return os.environ.get("HERON_TOKEN", "") or secrets.token_urlsafe(32)


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdecimal() else host
