"""One replica of a Ray Serve deployment: the host's own application over a model of its own."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from heron.errors import ModelNotReady
from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.service import make_service
from heron.host.deploy.ask import Ask
from heron.host.deploy.exchange import exchange
from heron.host.engine.scripted import Script
from heron.host.fleet import open_fleet
from heron.settings import Settings


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """What every replica is made of; another plan is another version, which is rolled out."""

    settings: Settings
    token: str
    host_names: frozenset[str]
    version: str = ""
    script: Script | None = None
    """Fixed answers in the place of a model, for tests."""


class Replica:
    """Serve makes one an actor. It is ready once its model is."""

    def __init__(self, plan: ReplicaPlan) -> None:
        settings = plan.settings
        origins = frozenset(settings.host.allowed_origins)
        self._pool = open_fleet(settings, plan.script)
        service = make_service(self._pool, settings.limits, settings.host.response_cache_mb)
        self._app = create_app(service, Auth(plan.token, plan.host_names, origins))
        self._life = AsyncExitStack()
        self._is_open = False

    async def reconfigure(self, _config: Any) -> None:
        """What Serve calls before it sends requests: loads the model."""
        if not self._is_open:
            await self._life.enter_async_context(self._app.router.lifespan_context(self._app))
            self._is_open = True
            await self._pool.engine()

    async def answer(self, ask: Ask) -> AsyncGenerator[dict[str, Any], None]:
        """The ASGI messages of the answer to a request."""
        async with aclosing(exchange(self._app, ask)) as messages:
            async for message in messages:
                yield message

    def check_health(self) -> None:
        """What Serve asks now and then: raises, and the replica is replaced, if the model cannot be served."""
        health = self._pool.health()
        if health.state == "failed":
            raise ModelNotReady(health.message)
