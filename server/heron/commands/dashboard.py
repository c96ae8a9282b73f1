"""`heron dashboard`: the host's dashboard in a browser."""

import argparse
import webbrowser

from heron.discovery import ensure_host
from heron.errors import HostUnreachable
from heron.settings import home_folder


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `dashboard` command."""
    parser = subparsers.add_parser("dashboard", help="watch the host in a browser: speed, memory, requests, errors")
    parser.add_argument("--print", action="store_true", help="only print the address; it holds a token")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open the page, or print where it is; 0."""
    url = _ask_url()
    if arguments.print or not webbrowser.open(url):
        print(url)
    else:
        print("The dashboard is open in your browser.")
    return 0


def _ask_url() -> str:
    import httpx

    address = ensure_host(home_folder())
    transport = httpx.HTTPTransport(uds=address.socket_path or None)
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    with httpx.Client(transport=transport, base_url=address.base_url, headers=headers, timeout=20) as client:
        answer = client.post("/v1/dashboard")
    if answer.is_error:
        raise HostUnreachable(f"The host opened no dashboard: {answer.json()['error']['message']}")
    return str(answer.json()["url"])
