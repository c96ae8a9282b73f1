"""Short pauses of the interpreter: who answers within milliseconds waits neither for a thread nor for the collector."""

import asyncio
import gc
import sys

SWITCH_S = 0.0005
"""How long a thread that looks things up may keep the one that answers waiting; Python itself: ten times as long."""
SETTLED_S = 20.0
"""By then all that a session needs is imported."""


def shorten_pauses(loop: asyncio.AbstractEventLoop) -> None:
    """Have threads take turns quickly and, once all is loaded, the collector pass over what is there to stay.

    For a process of its own: both count for all that runs in it.
    """
    sys.setswitchinterval(SWITCH_S)
    loop.call_later(SETTLED_S, gc.freeze)
