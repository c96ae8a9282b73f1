"""The way to a model server: this machine's host by its Unix socket, any other by the network.

What either needs is imported when the first connection is made, not when the language server starts.
"""

from heron.discovery import HostAddress
from heron.editor.client.http import Hear, Server


def open_server(address: HostAddress, hear: Hear) -> Server:
    """The server at an address; nothing is sent yet. `hear` is told what each answer says of the server."""
    if address.socket_path:
        from heron.editor.client.unix import UnixServer

        return UnixServer(address, hear)
    from heron.editor.client.network import NetworkServer

    return NetworkServer(address, hear)
