"""How much each client may ask: requests and tokens a minute, and requests at once."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from heron.errors import Overloaded
from heron.host.api.ledger import Finished
from heron.settings import LimitSettings


class Quotas:
    """Counts by token (its id; this user's own has none and no limits); a limit of 0 is none.

    What an answer used is charged when it is known, so one answer may overdraw.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._running: Counter[str] = Counter()

    @contextmanager
    def admit(self, client: str) -> Iterator[None]:
        """Count a request for the length of a with block. Raises Overloaded, with when to come back, over a limit."""
        if not client:
            yield
            return
        if (most := self._limits.concurrent_requests) and self._running[client] >= most:
            raise Overloaded(f"This token already has {most} requests running, the most it may.")
        self._require("tokens", self._limits.tokens_per_minute, client)
        self._require("requests", self._limits.requests_per_minute, client)
        self._charge("requests", self._limits.requests_per_minute, client, 1)
        self._running[client] += 1
        try:
            yield
        finally:
            self._running[client] -= 1
            self._running += Counter()  # forget the idle

    def note(self, finished: Finished) -> None:
        """Charge what a request used to the token it came with."""
        usage = finished.usage
        count = usage.prompt_tokens + usage.completion_tokens
        self._charge("tokens", self._limits.tokens_per_minute, token_of(finished.request.client), count)

    def _charge(self, what: str, limit: int, client: str, count: int) -> None:
        if limit and count and client:
            item = RateLimitItemPerMinute(limit)
            left = self._windows.get_window_stats(item, what, client).remaining
            self._windows.hit(item, what, client, cost=min(count, left))

    def _require(self, what: str, limit: int, client: str) -> None:
        if not limit:
            return
        item = RateLimitItemPerMinute(limit)
        if not self._windows.test(item, what, client):
            reset_s = self._windows.get_window_stats(item, what, client).reset_time
            wait_s = max(1.0, math.ceil(reset_s - time.time()))
            raise Overloaded(f"This token may use {limit} {what} a minute, and has.", retry_after_s=wait_s)


def join_client(token: str, name: str) -> str:
    """Whose request it is, for fair shares: its token, and within that what it calls itself."""
    return f"{token}/{name}" if token else name.replace("/", "_")


def token_of(client: str) -> str:
    """The token in what `join_client` made of it, empty if there was none."""
    return client.partition("/")[0] if "/" in client else ""
