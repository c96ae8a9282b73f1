"""`heron trace`: what the host did in the last seconds, as a file for chrome://tracing or Perfetto."""

import argparse
import json
from pathlib import Path
from typing import Any

from heron.discovery import find_host
from heron.errors import HostUnreachable, NoPermission
from heron.settings import home_folder

MAX_SECONDS = 600.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `trace` command."""
    parser = subparsers.add_parser("trace", help="write what the host did of late as a trace for chrome://tracing")
    parser.add_argument("output", nargs="?", type=Path, default=Path("heron-trace.json"), help="the file to write")
    parser.add_argument("--seconds", type=_seconds, default=60.0, metavar="N", help="how far back (default 60)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the running host, write the file; 0."""
    trace = _ask_trace(arguments.seconds)
    output: Path = arguments.output
    try:
        output.write_text(json.dumps(trace, separators=(",", ":")), encoding="utf-8")
    except OSError as error:
        raise NoPermission(f"{output} cannot be written: {error.strerror}.") from error
    num_steps = sum(event["name"] == "step" for event in trace["traceEvents"])
    num_queued = sum(event["name"] == "queue" for event in trace["traceEvents"])
    print(f"{output}: {num_queued} requests, {num_steps} steps. Open it in chrome://tracing or in Perfetto.")
    return 0


def _ask_trace(seconds: float) -> dict[str, Any]:
    import httpx

    address = find_host(home_folder())
    if address is None:
        raise HostUnreachable("No Heron host runs.", hint="An editor or heron host starts one.")
    transport = httpx.HTTPTransport(uds=address.socket_path or None)
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    with httpx.Client(transport=transport, base_url=address.base_url, headers=headers, timeout=60) as client:
        answer = client.get("/v1/trace", params={"seconds": seconds})
    if answer.is_error:
        raise HostUnreachable(f"The host gave no trace: {answer.json()['error']['message']}")
    trace: dict[str, Any] = answer.json()
    return trace


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds (0.1 to {MAX_SECONDS:g})")
    return seconds
