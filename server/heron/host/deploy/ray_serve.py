"""The host on Ray Serve: many replicas behind gateways that send a conversation where its keys and values are.

`python -m heron.host.deploy.ray_serve --replicas 2` on one machine; `README.md` beside this file says how it goes to
many. Takes the settings of this user's home, and HERON_TOKEN as the token of all clients.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Any

from ray import serve
from ray.exceptions import RayError
from ray.serve.config import AutoscalingConfig, HTTPOptions, RequestRouterConfig
from ray.serve.exceptions import BackPressureError
from starlette.types import ASGIApp

from heron.host.api.auth import LOOPBACK_NAMES, own_token
from heron.host.deploy.ask import Ask
from heron.host.deploy.gateway import make_gateway
from heron.host.deploy.replica import Replica, ReplicaPlan
from heron.host.engine.scripted import Script
from heron.settings import Settings, load_settings

APP, GATEWAY, REPLICA = "heron", "Gateway", "Replica"
_ROUTER = "heron.host.deploy.router.AffineRouter"
_GRACE_S = 60.0
"""How long a replica that is replaced may finish its requests."""
_PATIENCE_S = 5.0
_REPLICA_CPUS = 1.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many replicas there are: from `replicas` up to `max_replicas`, so that each has about `load` requests.

    `cpus` and `gpus` are what Ray reserves for each. `gateways` may be one a machine.
    """

    replicas: int = 1
    max_replicas: int = 1
    load: float = 4.0
    queue: int = 256
    cpus: float = _REPLICA_CPUS
    gpus: float = 0.0
    gateways: int = 1


def build(args: dict[str, Any]) -> serve.Application:
    """The application for `serve run heron.host.deploy.ray_serve:build replicas=2` and Serve's config files."""
    kinds = {name: type(getattr(Size(), name)) for name in Size.__dataclass_fields__}
    size = Size(**{name: kinds[name](value) for name, value in args.items()})
    return make_application(size, make_plan(load_settings()))


def make_plan(settings: Settings, script: Script | None = None, version: str = "") -> ReplicaPlan:
    """Replicas of these settings. A token is made if HERON_TOKEN has none."""
    names = LOOPBACK_NAMES | {name.lower() for name in settings.host.allowed_hosts}
    return ReplicaPlan(settings, own_token(), names, version, script)


def make_application(size: Size, plan: ReplicaPlan) -> serve.Application:
    """Gateways in front of replicas."""
    replica = serve.deployment(
        Replica,
        name=REPLICA,
        user_config={},  # so that `reconfigure`, which loads the model, is called before the first request
        autoscaling_config=_scaling(size),
        max_ongoing_requests=max(8, int(4 * size.load)),
        max_queued_requests=size.queue,
        request_router_config=RequestRouterConfig(request_router_class=_ROUTER),
        ray_actor_options={"num_cpus": size.cpus, "num_gpus": size.gpus, "runtime_env": {"env_vars": _environment()}},
        graceful_shutdown_timeout_s=_GRACE_S,
        health_check_period_s=_PATIENCE_S,
        health_check_timeout_s=_PATIENCE_S,
    )
    gateway = serve.deployment(
        serve.ingress(build_gateway)(),
        name=GATEWAY,
        num_replicas=size.gateways,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0, "runtime_env": {"env_vars": _environment()}},
    )
    return gateway.bind(replica.bind(plan))


def build_gateway() -> ASGIApp:
    """The gateway's application, made in its actor."""
    handles: list[Any] = []  # found at the first request: the replicas' deployment may not be there before

    def ask_replica(ask: Ask) -> Any:
        if not handles:
            handles.append(serve.get_deployment_handle(REPLICA, app_name=APP).options(stream=True))
        return handles[0].answer.remote(ask)

    return make_gateway(ask_replica, (RayError,), (BackPressureError,))


def main() -> None:
    """Serve on this machine, or on the cluster it belongs to, until interrupted."""
    arguments = _parser().parse_args()
    settings = load_settings()
    tls = {"ssl_certfile": settings.host.tls_certificate, "ssl_keyfile": settings.host.tls_key}
    options = {name: value for name, value in tls.items() if value}
    serve.start(http_options=HTTPOptions(host=settings.host.listen, port=arguments.port, **options))
    size = Size(arguments.replicas, max(arguments.replicas, arguments.max_replicas), cpus=arguments.cpus)
    plan = make_plan(settings)
    if not os.environ.get("HERON_TOKEN"):
        sys.stdout.write(f"Token: {plan.token}\n")
        sys.stdout.flush()
    serve.run(make_application(size, plan), name=APP, blocking=True)


def _scaling(size: Size) -> AutoscalingConfig:
    return AutoscalingConfig(
        min_replicas=size.replicas,
        max_replicas=max(size.replicas, size.max_replicas),
        target_ongoing_requests=size.load,
    )


def _environment() -> dict[str, str]:
    """What replicas need of this process's environment, wherever they run."""
    return {name: os.environ[name] for name in ("HERON_HOME", "PYTHONPATH") if name in os.environ}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="heron.host.deploy.ray_serve", description="Heron's host on Ray Serve.")
    parser.add_argument("--replicas", type=int, default=1, metavar="N", help="as many at least (default 1)")
    parser.add_argument("--max-replicas", type=int, default=0, metavar="N", help="as many under load; default: no more")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="HTTP port (default 8000)")
    parser.add_argument("--cpus", type=float, default=_REPLICA_CPUS, metavar="N", help="reserved for each (default 1)")
    return parser


if __name__ == "__main__":
    main()
