"""Ray Serve's choice of a replica, made by `placement`.

Serve's interface for routers is marked alpha; nothing else of ours knows it.
"""

from typing import Any

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from heron.host.deploy.ask import Ask
from heron.host.deploy.placement import place


class AffineRouter(RequestRouter):  # type: ignore[misc]
    """Requests of one key go to one replica, by what this router has sent to each and what they told of late."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Ranks of one replica each: Serve tries them in order."""
        by_name = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        loads = {name: self._load(replica) for name, replica in by_name.items()}
        return [[by_name[name]] for name in place(_key(pending_request), loads)]

    def _load(self, replica: RunningReplica) -> int:
        return self.replica_queue_len_cache.get(replica.replica_id) or 0


def _key(request: Any) -> str:
    asks = [argument for argument in (request.args if request else ()) if isinstance(argument, Ask)]
    return asks[0].key if asks else ""
