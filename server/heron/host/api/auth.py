"""Who may ask: anybody who can open the private Unix socket; over TCP, who knows the token and came by loopback."""

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from heron.errors import Unauthorized

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Auth:
    """What every request must bring. Empty fields ask for nothing, as on a Unix socket only its owner can open.

    Checking the name in `Host` keeps web pages out whose own name was made to point at this machine (DNS rebinding).
    """

    token: str = ""
    host_names: frozenset[str] = frozenset()

    def allows_host(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was sent to a name this host goes by."""
        return not self.host_names or _without_port(headers.get("host", "")).lower() in self.host_names

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Raise Unauthorized without the right bearer token. The comparison takes constant time."""
        if not self.token:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise Unauthorized("This host needs a token.", hint="Send the header Authorization: Bearer <token>.")
        if not hmac.compare_digest(given.strip().encode(), self.token.encode()):
            raise Unauthorized("The token is not the one of this host.")


def loopback_auth() -> Auth:
    """For loopback TCP: the token of `HERON_TOKEN`, or a new one."""
    return Auth(os.environ.get("HERON_TOKEN", "") or secrets.token_urlsafe(32), LOOPBACK_NAMES)


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdecimal() else host
