"""What all listeners of one host share."""

from dataclasses import dataclass

from heron.host.api.activity import Activity
from heron.host.api.engines import EnginePool
from heron.host.api.ledger import Ledger
from heron.host.api.metrics import Telemetry
from heron.host.api.quotas import Quotas
from heron.host.api.response_cache import ResponseCache
from heron.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Service:
    pool: EnginePool
    activity: Activity
    telemetry: Telemetry
    quotas: Quotas
    ledger: Ledger
    cache: ResponseCache


def make_service(pool: EnginePool, limits: LimitSettings | None = None, response_cache_mb: int = 0) -> Service:
    telemetry, quotas = Telemetry(), Quotas(limits or LimitSettings())
    ledger, cache = Ledger(telemetry.note, quotas.note), ResponseCache(response_cache_mb * 1_000_000)
    return Service(pool, Activity(), telemetry, quotas, ledger, cache)
