"""Run programs that a model wrote: each in a child process without network, with little memory and time."""

import resource
import shutil
import subprocess
import sys
import tempfile
from functools import cache

_TIME_S = 10
_MEMORY_BYTES = 2 << 30
_FILE_BYTES = 1 << 20


def passes(program: str) -> bool:
    """Whether a Python program ends without an error within its limits."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*_without_network(), sys.executable, "-I", "-"]
        try:
            done = subprocess.run(
                command,
                input=program.encode(),
                cwd=folder,
                env={},
                capture_output=True,
                timeout=_TIME_S,
                preexec_fn=_limit,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_TIME_S, _TIME_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))


@cache
def _without_network() -> tuple[str, ...]:
    """A user and network namespace of its own, where the system lets us make one."""
    command = ("unshare", "--user", "--map-root-user", "--net")
    works = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0
    if not works:
        sys.stderr.write("programs run with network: no namespaces here\n")
    return command if works else ()
