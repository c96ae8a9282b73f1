"""The error for a card that failed: the device and its memory are gone for the process that met it."""

from collections.abc import Iterator
from contextlib import contextmanager

from heron.errors import DeviceLost


def card_lost(error: RuntimeError) -> DeviceLost:
    """What is told of an error of the driver's or the runtime's, the first line of it."""
    lines = str(error).strip().splitlines()
    return DeviceLost(f"The card failed: {lines[0] if lines else type(error).__name__}.")


@contextmanager
def telling_of_card(on_card: bool) -> Iterator[None]:
    """Turn what the runtime raises within a with block into DeviceLost, where a model goes onto a card."""
    try:
        yield
    except RuntimeError as error:
        if on_card:
            raise card_lost(error) from error
        raise
