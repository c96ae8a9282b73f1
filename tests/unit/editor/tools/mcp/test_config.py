"""mcp.json: the customary shape, and what is wrong with others."""

import json
from pathlib import Path

import pytest

from heron.editor.tools.mcp.config import parse_config, read_config
from heron.errors import InvalidSettings


def test_both_kinds_of_servers_are_read() -> None:
    servers = {
        "git": {"command": "uvx", "args": ["mcp-server-git"], "env": {"A": "b"}, "type": "stdio"},
        "web": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer x"}},
        "off": {"command": "x", "disabled": True},
    }
    git, web = parse_config({"mcpServers": servers})
    assert (git.name, git.command, git.args, git.env) == ("git", "uvx", ("mcp-server-git",), (("A", "b"),))
    assert (web.name, web.url, web.headers) == ("web", "https://example.org/mcp", (("Authorization", "Bearer x"),))


def test_without_a_file_there_are_no_servers(tmp_path: Path) -> None:
    assert read_config(tmp_path) == ()


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": \xff}'.encode("latin-1")])
def test_a_file_that_is_no_json_is_told_of(tmp_path: Path, text: str | bytes) -> None:
    (tmp_path / "mcp.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidSettings, match=r"mcp\.json is not valid JSON"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "mcpServers"),
        ({"mcpServers": []}, "mcpServers"),
        ({"mcpServers": {"a b": {"command": "x"}}}, "'a b': a name"),
        ({"mcpServers": {"a": "x"}}, 'either "command" or "url"'),
        ({"mcpServers": {"a": {"command": "x", "url": "http://x"}}}, 'either "command" or "url"'),
        ({"mcpServers": {"a": {"command": "x", "arg": []}}}, "unknown member 'arg'; known: args"),
        ({"mcpServers": {"a": {"command": ""}}}, '"command" must be a text'),
        ({"mcpServers": {"a": {"command": "x", "args": "-v"}}}, '"args" must be a list of texts'),
        ({"mcpServers": {"a": {"command": "x", "env": {"A": 1}}}}, '"env" must be an object of texts'),
        ({"mcpServers": {"a": {"url": "file:///etc/passwd"}}}, '"url" must begin with http'),
    ],
)
def test_what_is_wrong_is_named(values: object, said: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_config(json.loads(json.dumps(values)))
    assert said in str(caught.value)
