"""Frozen dataclasses to JSON and strictly back, by their type hints.

A dataclass becomes an object that names its class in `type` and leaves out fields at their default. Reading refuses
unknown keys, missing fields and wrong types: both ends of the pipe are ours, so a surprise is a fault to be seen.
"""

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_Decoder = Callable[[Any], Any]
_SCALARS = (str, int, float, bool)


def encode(value: Any) -> Any:
    """The JSON form of a dataclass, tuple, list, mapping or scalar."""
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    kind: Any = type(value)
    encoded = {"type": kind.__name__}
    for name, default in _fields(kind):
        item = getattr(value, name)
        if default is dataclasses.MISSING or item != default:
            encoded[name] = encode(item)
    return encoded


def decode(hint: Any, value: Any) -> Any:
    """The value of type `hint` that `encode` made `value` of; ValueError says what does not fit."""
    return _decoder(hint)(value)


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((item.name, item.default) for item in dataclasses.fields(kind))


@functools.cache
def _decoder(hint: Any) -> _Decoder:
    if dataclasses.is_dataclass(hint):
        return _union_decoder((hint,))
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union_decoder(get_args(hint))
    if origin is Literal:
        return _literal_decoder(get_args(hint))
    if origin is tuple:
        return _tuple_decoder(get_args(hint))
    if origin is dict:
        return _dict_decoder(_decoder(get_args(hint)[1]))
    return _scalar_decoder(hint)


def _union_decoder(kinds: tuple[Any, ...]) -> _Decoder:
    classes = {_name(kind): kind for kind in kinds if dataclasses.is_dataclass(kind)}
    plain = [_decoder(kind) for kind in kinds if kind is not types.NoneType and not dataclasses.is_dataclass(kind)]
    optional = types.NoneType in kinds

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, dict) and value.get("type") in classes:
            return _read_class(classes[value["type"]], value)
        if len(plain) == 1:
            return plain[0](value)
        raise ValueError(f"{_quote(value)} is none of {', '.join(classes)}")

    return read


def _name(kind: Any) -> str:
    return str(kind.__name__)


def _read_class(kind: Any, value: dict[str, Any]) -> Any:
    decoders = _field_decoders(kind)
    try:
        return kind(**{key: decoders[key](item) for key, item in value.items() if key != "type"})
    except KeyError as error:
        raise ValueError(f"{kind.__name__} has no field {error}") from None
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from None


@functools.cache
def _field_decoders(kind: Any) -> dict[str, _Decoder]:
    hints = get_type_hints(kind)
    return {item.name: _decoder(hints[item.name]) for item in dataclasses.fields(kind)}


def _literal_decoder(allowed: tuple[Any, ...]) -> _Decoder:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{_quote(value)} is not one of {', '.join(allowed)}")
        return value

    return read


def _tuple_decoder(items: tuple[Any, ...]) -> _Decoder:
    if items[-1] is Ellipsis:
        each = _decoder(items[0])
        return lambda value: tuple(each(item) for item in _check(value, list))
    decoders = [_decoder(item) for item in items]

    def read(value: Any) -> Any:
        if len(_check(value, list)) != len(decoders):
            raise ValueError(f"{_quote(value)} has not {len(decoders)} items")
        return tuple(decoder(item) for decoder, item in zip(decoders, value, strict=True))

    return read


def _dict_decoder(each: _Decoder) -> _Decoder:
    return lambda value: {key: each(item) for key, item in _check(value, dict).items()}


def _scalar_decoder(kind: Any) -> _Decoder:
    def read(value: Any) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        return _check(value, kind)

    return read


def _check(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{_quote(value)} is not {kind.__name__}")
    return value


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
