"""Params of our own methods, read strictly: an InvalidRequest names the place of a wrong one and what is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from heron.errors import InvalidRequest

MAX_ITEMS = 64


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a message. `place` is where it stands, for errors."""

    values: Mapping[str, Any]
    place: str = ""

    def text(self, name: str, default: str | None = None) -> str:
        """A string; required without a default."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def number(self, name: str, default: int, limits: tuple[int, int]) -> int:
        """A whole number within inclusive limits."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not limits[0] <= value <= limits[1]:
            raise self._wrong(name, f"a whole number from {limits[0]} to {limits[1]}", value)
        return value

    def token(self, name: str) -> str | int | None:
        """A progress token, if there is one."""
        value = self.values.get(name)
        if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
            return value
        raise self._wrong(name, "a string or a whole number", value)

    def child(self, name: str) -> "Fields | None":
        """An object, if there is one."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object", value)
        return Fields(value, self._place(name))

    def children(self, name: str) -> "tuple[Fields, ...]":
        """A list of objects; none if it is missing."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MAX_ITEMS:
            raise self._wrong(name, f"a list of at most {MAX_ITEMS} objects", value)
        return tuple(read_fields(item, f"{self._place(name)}[{number}]") for number, item in enumerate(value))

    def range(self, name: str) -> types.Range | None:
        """A range in the client's units, if there is one."""
        found = self.child(name)
        if found is None:
            return None
        start, end = (found.child(side) for side in ("start", "end"))
        if start is None or end is None:
            raise self._wrong(name, "a range with start and end", dict(found.values))
        return types.Range(_position(start), _position(end))

    def _get(self, name: str, default: Any) -> Any:
        value = self.values.get(name, default)
        if value is None:
            raise InvalidRequest(f"{self._place(name)} is missing.", param=self._place(name))
        return value

    def _place(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _wrong(self, name: str, allowed: str, value: object) -> InvalidRequest:
        place = self._place(name)
        return InvalidRequest(f"{place} must be {allowed}, not {repr(value)[:80]}.", param=place)


def read_fields(value: object, place: str = "") -> Fields:
    """An object's fields. pygls hands over params of custom methods as plain mappings, null without any."""
    if value is None and not place:
        return Fields({})
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{place or 'params'} must be an object, not {repr(value)[:80]}.", param=place)
    return Fields(value, place)


def _position(found: Fields) -> types.Position:
    limits = (0, 2**31 - 1)
    return types.Position(found.number("line", -1, limits), found.number("character", -1, limits))
