"""Benches measure the model, not the host's memory of its answers."""

import httpx

from heron.discovery import HostAddress

WITHOUT_MEMORY = "[host]\nresponse_cache_mb = 0\n"
"""For the `config.toml` of a bench's own home."""


def require_fresh(address: HostAddress) -> HostAddress:
    """The address of a host that answers nothing from memory; ends the bench if it would."""
    transport = httpx.HTTPTransport(uds=address.socket_path or None)
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    with httpx.Client(transport=transport, base_url=address.base_url, headers=headers, timeout=20) as client:
        overview = client.get("/v1/overview").json()
    if overview.get("cache", {}).get("response_cache_limit_bytes"):
        raise SystemExit("This host gives answers from memory: set host.response_cache_mb = 0 in its config.toml.")
    return address
