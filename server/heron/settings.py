"""Settings: frozen classes, one default for each, one strict parser, one JSON schema.

They come from `config.toml` in Heron's home, then `HERON_MODEL`, then an editor's `initializationOptions`; later wins.
An unknown key or a value out of range is an `InvalidSettings` that names the key, the value and what is allowed.
"""

import dataclasses
import difflib
import os
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import platformdirs

from heron.errors import InvalidSettings

InstructionSet = Literal["auto", "avx512-vnni", "avx2", "portable"]
Speculation = Literal["auto", "off"]


def setting(default: Any, help: str, *, minimum: float | None = None, maximum: float | None = None) -> Any:
    """A field with its default, its sentence for people, and its inclusive range."""
    return field(default=default, metadata={"help": help, "minimum": minimum, "maximum": maximum})


@dataclass(frozen=True, slots=True)
class ModelSettings:
    name: str = setting("auto", "Model to host: a name from `heron models list`, or auto")
    use_hub: bool = setting(True, "Ask the model hub for weights before the package registry")
    hub_timeout_s: float = setting(4.0, "Seconds to wait for the model hub to answer", minimum=0.1, maximum=120)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    instruction_set: InstructionSet = setting("auto", "CPU kernels to use; auto takes the best this machine has")
    threads: int = setting(0, "CPU threads of the engine; 0 chooses", minimum=0, maximum=1024)
    context_window: int = setting(4096, "Longest prompt and answer together, in tokens", minimum=256, maximum=131072)
    speculation: Speculation = setting("auto", "Guess tokens from repeated text and verify them; answers stay the same")
    cache_tokens: int = setting(8192, "Tokens the KV cache holds over all requests", minimum=256, maximum=4194304)


@dataclass(frozen=True, slots=True)
class HostSettings:
    url: str = setting("", "Use this OpenAI-compatible server instead of starting a host, e.g. http://localhost:8000")
    token: str = setting("", "Bearer token for that server")
    idle_timeout_s: float = setting(900.0, "A host with no request for so long leaves", minimum=1, maximum=1e7)


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    enabled: bool = setting(True, "Offer inline completions")
    max_tokens: int = setting(96, "Longest completion, in tokens", minimum=1, maximum=1024)
    prefix_tokens: int = setting(1024, "Tokens before the cursor in the prompt", minimum=16, maximum=65536)
    suffix_tokens: int = setting(96, "Tokens after the cursor in the prompt", minimum=0, maximum=65536)
    debounce_ms: int = setting(0, "Wait so long for the next key before asking the model", minimum=0, maximum=5000)
    timeout_ms: int = setting(10000, "Give up on a completion after so long", minimum=50, maximum=600000)


@dataclass(frozen=True, slots=True)
class Settings:
    model: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    host: HostSettings = HostSettings()
    completion: CompletionSettings = CompletionSettings()


def home_folder() -> Path:
    """The folder that holds everything Heron stores: `HERON_HOME`, else the user's data folder."""
    configured = os.environ.get("HERON_HOME", "")
    return Path(configured).expanduser().absolute() if configured else Path(platformdirs.user_data_dir("heron"))


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `config.toml`, `HERON_MODEL` and `overrides` (nested as in the file), strictly checked."""
    values = _read_file(home_folder() / "config.toml")
    if model := os.environ.get("HERON_MODEL", ""):
        values = _merge(values, {"model": {"name": model}})
    return parse_settings(_merge(values, overrides or {}))


def parse_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from a nested mapping; missing keys take their defaults."""
    parsed: Settings = _parse_class(Settings, values, "")
    return parsed


def settings_schema() -> dict[str, Any]:
    """JSON schema of the settings, with help, defaults and ranges."""
    return _schema_class(Settings)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}.") from error


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        nested = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merge(below, value) if nested and isinstance(below, Mapping) else value
    return merged


def _parse_class(kind: Any, values: object, path: str) -> Any:
    if not isinstance(values, Mapping):
        raise InvalidSettings(f"Setting {path or 'root'}: {values!r} is not a table of settings.")
    hints = get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise InvalidSettings(f"Unknown setting {_join(path, key)!r}.", hint=_nearest(str(key), list(fields)))
    return kind(
        **{key: _parse_value(hints[key], fields[key], value, _join(path, key)) for key, value in values.items()}
    )


def _parse_value(hint: Any, item: dataclasses.Field[Any], value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _parse_class(hint, value, path)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise InvalidSettings(f"Setting {path}: {value!r} is not one of {', '.join(get_args(hint))}.")
        return value
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise InvalidSettings(f"Setting {path}: {value!r} is not {_type_name(hint)}.")
    _check_range(item.metadata, value, path)
    return value


def _check_range(limits: types.MappingProxyType[Any, Any], value: Any, path: str) -> None:
    minimum, maximum = limits.get("minimum"), limits.get("maximum")
    if minimum is not None and not minimum <= value <= maximum:
        raise InvalidSettings(f"Setting {path}: {value!r} is outside {minimum:g} to {maximum:g}.")


def _schema_class(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties = {item.name: _schema_field(hints[item.name], item) for item in dataclasses.fields(kind)}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _schema_field(hint: Any, item: dataclasses.Field[Any]) -> dict[str, Any]:
    if dataclasses.is_dataclass(hint):
        return _schema_class(hint)
    schema: dict[str, Any] = {"description": item.metadata["help"], "default": item.default}
    if get_origin(hint) is Literal:
        schema["enum"] = list(get_args(hint))
    else:
        schema["type"] = {bool: "boolean", int: "integer", float: "number", str: "string"}[hint]
    return schema | {key: item.metadata[key] for key in ("minimum", "maximum") if item.metadata[key] is not None}


def _type_name(hint: Any) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[hint]


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
