"""A shop."""

from __future__ import annotations

import os.path
import json as js
from . import prices
from .stock.shelf import Shelf as Rack, find
from collections import *

LIMIT: int = 10
names = codes = {}


class Basket(list[str]):
    """What a customer carries.

    More of it here.
    """

    owner: str = ""
    count = 0

    def __init__(self, owner: str) -> None:
        self.owner = owner

    @property
    def total(self) -> float:
        """Sum of all prices."""

        def price(code: str) -> float:
            return prices.of(code)

        return sum(price(code) for code in self)


# Opens the shop.
# Once a day.
async def open_shop(
    day: int,
    *,
    keys: tuple[str, ...] = (),
) -> Basket:
    await find(day)
    return Basket(os.path.join("a", js.dumps(Rack())))


type Pair[T] = tuple[T, T]
