"""Two replicas on Ray Serve with fixed answers: a process for the tests. Prints its port, then obeys lines on stdin.

`roll VERSION ANSWER` replaces the replicas by others that answer so, and prints `rolled` when it is done.
"""

import logging
import sys

import ray
from ray import serve
from ray.serve.config import HTTPOptions

from heron.host.deploy.ray_serve import APP, Size, make_application, make_plan
from heron.host.engine.scripted import Reply, Rule, Script
from heron.settings import Settings


def main() -> None:
    port = int(sys.argv[1])
    ray.init(num_cpus=4, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    _deploy("1", "an answer")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        _, version, answer = line.rstrip("\n").split(" ", 2)
        _deploy(version, answer)
        sys.stdout.write("rolled\n")
        sys.stdout.flush()
    serve.shutdown()
    ray.shutdown()


def _deploy(version: str, answer: str) -> None:
    script = Script((Rule("hold", Reply("a long answer", hold_after=1)),), Reply(answer))
    plan = make_plan(Settings(), script, version)
    serve.run(make_application(Size(2, 2, cpus=0.5), plan), name=APP)


if __name__ == "__main__":
    main()
