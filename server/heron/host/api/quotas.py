"""How much each client may ask: requests and tokens a minute, and requests at once."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from heron.errors import Overloaded
from heron.host.api.ledger import Finished
from heron.settings import LimitSettings

_MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Account:
    """Whose requests are counted together, `whose` in a word, and its share of what a token may."""

    key: str
    whose: str
    share: float = 1.0

    def part(self, limit: int) -> int:
        """Its share of a limit; no limit stays none."""
        return max(1, int(limit * self.share)) if limit else 0


class Quotas:
    """Counts by token, and within that by client; this user's own requests have no token and no limits.

    A limit of 0 is none. What an answer used is charged when it is known, so one answer may overdraw.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._running: Counter[str] = Counter()

    @contextmanager
    def admit(self, client: str) -> Iterator[None]:
        """Count a request of a client, as `join_client` names it, for the length of a with block.

        Raises Overloaded, with when to come back, over a limit.
        """
        accounts = self._accounts(client)
        for account in accounts:
            self._require(account)
        for account in accounts:
            self._charge("requests", self._limits.requests_per_minute, account, 1)
        self._running.update(account.key for account in accounts)
        try:
            yield
        finally:
            self._running.subtract(account.key for account in accounts)
            self._running += Counter()  # forget the idle

    def note(self, finished: Finished) -> None:
        """Charge what a request used to the token and the client it came with."""
        usage = finished.usage
        for account in self._accounts(finished.request.client):
            count = usage.prompt_tokens + usage.completion_tokens
            self._charge("tokens", self._limits.tokens_per_minute, account, count)

    def _accounts(self, client: str) -> tuple[_Account, ...]:
        if not (token := token_of(client)):
            return ()
        share = self._limits.client_share
        return (_Account(token, "token"), *([_Account(client, "client", share)] if share < 1 else []))

    def _charge(self, what: str, limit: int, account: _Account, count: int) -> None:
        if limit and count:
            item = RateLimitItemPerMinute(account.part(limit))
            left = self._windows.get_window_stats(item, what, account.key).remaining
            self._windows.hit(item, what, account.key, cost=min(count, left))

    def _require(self, account: _Account) -> None:
        most = account.part(self._limits.concurrent_requests)
        if most and self._running[account.key] >= most:
            raise Overloaded(f"This {account.whose} already has {most} requests running, the most it may.")
        for what, limit in (
            ("tokens", self._limits.tokens_per_minute),
            ("requests", self._limits.requests_per_minute),
        ):
            self._require_left(what, account.part(limit), account)

    def _require_left(self, what: str, limit: int, account: _Account) -> None:
        if not limit:
            return
        item = RateLimitItemPerMinute(limit)
        if not self._windows.test(item, what, account.key):
            reset_s = self._windows.get_window_stats(item, what, account.key).reset_time
            wait_s = max(1.0, math.ceil(reset_s - time.time()))
            raise Overloaded(f"This {account.whose} may use {limit} {what} a minute, and has.", retry_after_s=wait_s)


def join_client(token: str, name: str) -> str:
    """Whose request it is, for fair shares: its token, and within that what it calls itself, shortened."""
    name = name[:_MAX_NAME_CHARS]
    return f"{token}/{name}" if token else name.replace("/", "_")


def token_of(client: str) -> str:
    """The token in what `join_client` made of it, empty if there was none."""
    return client.partition("/")[0] if "/" in client else ""
