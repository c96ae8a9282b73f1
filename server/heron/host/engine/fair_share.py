"""How much each client was served, so that whoever had least comes next.

The counters of Sheng et al. 2024, "Fairness in Serving Large Language Models" (VTC): a client that was idle begins no
lower than the least served of those that have work, so that idleness earns no credit, and one that had more than the
others stays behind them until they have caught up.
"""

MOST_REMEMBERED = 1024
"""Clients without work whose counters are kept."""


class FairShare:
    """Tokens served by client. A client is present while it has work."""

    def __init__(self) -> None:
        self._served: dict[str, float] = {}
        self._present: dict[str, int] = {}
        self._floor = 0.0
        """Where a client begins that finds nobody: what the last one to leave had."""

    def join(self, client: str) -> None:
        """Count in a piece of work; to be followed by `leave`."""
        if client not in self._present:
            least = min((self._served[other] for other in self._present), default=self._floor)
            self._served[client] = max(self._served.get(client, 0.0), least)
        self._present[client] = self._present.get(client, 0) + 1

    def leave(self, client: str) -> None:
        """Count out a piece of work that is done or given up."""
        self._present[client] -= 1
        if not self._present[client]:
            del self._present[client]
            self._floor = self._served[client]
            self._forget_some()

    def charge(self, client: str, tokens: float) -> None:
        """Count tokens as served to a client that is present."""
        self._served[client] += tokens

    def served(self, client: str) -> float:
        """What a present client was served; comparable with others' only."""
        return self._served[client]

    def _forget_some(self) -> None:
        """Keep the memory bounded; the least served of those absent lose least by it."""
        absent = [client for client in self._served if client not in self._present]
        if len(absent) > MOST_REMEMBERED:
            absent.sort(key=self._served.__getitem__)
            for client in absent[: MOST_REMEMBERED // 2]:
                del self._served[client]
