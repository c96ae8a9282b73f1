"""Which MCP servers a user wants: `mcp.json` in Heron's home, in the customary shape.

Never read from a workspace: a repository that someone else wrote must not name programs to start.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from heron.errors import InvalidSettings

FILE_NAME = "mcp.json"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")
_STDIO = {"command", "args", "env", "cwd", "type", "disabled"}
_HTTP = {"url", "headers", "type", "disabled"}


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server: a program spoken to on stdin and stdout, or a URL spoken to by streamable HTTP."""

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def read_config(home: Path) -> tuple[ServerConfig, ...]:
    """The servers of `mcp.json` that are not disabled; none without the file. Raises InvalidSettings."""
    path = home / FILE_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidSettings(f"{path} is not valid JSON: {error}.") from error
    return parse_config(values)


def parse_config(values: object) -> tuple[ServerConfig, ...]:
    """The servers of a parsed file."""
    if not isinstance(values, Mapping) or not isinstance(servers := values.get("mcpServers"), Mapping):
        _fail("", 'the file must be an object with a member "mcpServers", an object')
    return tuple(_parse_server(name, table) for name, table in servers.items() if not _is_disabled(table))


def _is_disabled(table: object) -> bool:
    return isinstance(table, Mapping) and table.get("disabled") is True


def _parse_server(name: str, table: object) -> ServerConfig:
    if not _NAME.fullmatch(name):
        _fail(name, "a name has up to 31 letters, digits, _ and -, a letter first")
    if not isinstance(table, Mapping) or ("command" in table) == ("url" in table):
        _fail(name, 'it needs either "command" or "url"')
    allowed = _STDIO if "command" in table else _HTTP
    if unknown := sorted(set(table) - allowed):
        _fail(name, f"unknown member {unknown[0]!r}; known: {', '.join(sorted(allowed))}")
    return _parse_stdio(name, table) if "command" in table else _parse_http(name, table)


def _parse_stdio(name: str, table: Mapping[str, Any]) -> ServerConfig:
    args = table.get("args", [])
    if not isinstance(args, list) or not all(isinstance(word, str) for word in args):
        _fail(name, f'"args" must be a list of texts, not {args!r}')
    return ServerConfig(
        name=name,
        command=_read_text(name, table, "command"),
        args=tuple(args),
        env=_read_texts(name, table, "env"),
        cwd=_read_text(name, table, "cwd") if "cwd" in table else "",
    )


def _parse_http(name: str, table: Mapping[str, Any]) -> ServerConfig:
    url = _read_text(name, table, "url")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        _fail(name, f'"url" must begin with http:// or https://, not {url!r}')
    return ServerConfig(name=name, url=url, headers=_read_texts(name, table, "headers"))


def _read_text(name: str, table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value or "\0" in value:
        _fail(name, f'"{key}" must be a text, not {value!r}')
    return value


def _read_texts(name: str, table: Mapping[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    values = table.get(key, {})
    if not isinstance(values, Mapping) or not all(isinstance(value, str) for value in values.values()):
        _fail(name, f'"{key}" must be an object of texts')
    return tuple(values.items())


def _fail(name: str, reason: str) -> NoReturn:
    where = f"{FILE_NAME}, server {name!r}" if name else FILE_NAME
    raise InvalidSettings(f"{where}: {reason}.")
